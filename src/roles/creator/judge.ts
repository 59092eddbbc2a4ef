import type { Chain, ContractCall } from '../../chain/chain.ts'
import { challengeCall, challengeLeafCall } from '../../chain/dispute-calls.ts'
import { CodedError, errorCode, errorMessage } from '../../core/errors.ts'
import type { Logger } from '../../core/logger.ts'
import { isLeaf } from '../../deal/batched.ts'
import type { Deal } from '../../deal/deal.ts'
import { isTerminal } from '../../deal/states.ts'
import type { Signer } from '../../identity/signer.ts'
import { acceptanceDigest, challengeDigest, CHALLENGE_KINDS, OUTCOMES, resultReceiptDigest } from '../../wire/deal-messages.ts'
import type { Address, Hash, Signature } from '../../wire/shapes.ts'
import { decide, drawAudit } from '../../verify/strategy.ts'
import type { Leaves } from '../batch/leaves.ts'
import { takeEvents, type Court } from '../court.ts'
import type { DealBook } from '../deal-book.ts'
import type { DealRoom } from '../deal-room.ts'
import { RoleError } from '../errors.ts'
import type { Verdicts } from '../verdicts.ts'
import { recordTransaction } from '../transactions.ts'
import type { Statements } from './statements.ts'

export interface JudgeComponents { deals: DealBook, leaves: Leaves, statements: Statements, room: DealRoom, chain: Pick<Chain, 'domain' | 'send' | 'deployment'>, court: Court, verdicts: Verdicts, signer: Signer, logger: Logger }

/** What a creator does about a result: accept it, have it audited, or challenge it on chain. */
export interface Judge {
  /** True when the deal's strategy accepts on the signed manifest alone. */
  acceptsUnseen: (deal: Deal) => boolean
  /** After the outputs were fetched and compared: accepts, or audits and acts on the verdict. */
  judge: (deal: Deal) => Promise<void>
  accept: (deal: Deal) => Promise<void>
  /** The result is provably not what was signed, or cannot be fetched: a mediator shall decide. */
  dispute: (deal: Deal) => Promise<void>
  /** An audited result that stands on chain is not paid unaudited: without a verdict by half of the judge window it goes to the court. */
  escalate: (deal: Deal, blockTime: number) => Promise<void>
}

export function createJudge (components: JudgeComponents, options: { signal: AbortSignal }): Judge {
  const { deals, leaves, statements, room, chain, court, verdicts, signer, logger } = components

  const escalating = new Set<Hash>()

  const accept = async (deal: Deal): Promise<void> => {
    if (deal.result === undefined || isTerminal(deal.state)) return
    const { manifest } = deal.result
    const acceptance = deal.acceptance ?? signer.sign(acceptanceDigest(chain.domain, { dealId: deal.dealId, manifest }))
    const statement = statements.sign(deal)
    await deals.update(deal, (changed) => { Object.assign(changed, { acceptance, statement }) })
    await Promise.all([statements.send(deal), room.accept(deal, {
      dealId: deal.dealId, manifest, signature: acceptance,
      ...(statement === undefined ? {} : { statement: { leaves: statement.leaves, signature: statement.signature, ...(statement.lines === undefined ? {} : { lines: statement.lines }) } }), ...(deal.verdict === undefined ? {} : { verdict: deal.verdict })
    })])
  }

  /** Undefined when the provider refuses it. Rejects when the provider is away. */
  const providerSalt = async (deal: Deal): Promise<Hash | undefined> => {
    if (deal.otherSalt !== undefined || deal.result === undefined) return deal.otherSalt
    try {
      const { dealId, result: { manifest } } = deal
      const salt = await room.salt(deal, { dealId, manifest, signature: signer.sign(resultReceiptDigest(chain.domain, { dealId, manifest })), creatorSalt: deal.ownSalt })
      await deals.update(deal, (changed) => { changed.otherSalt = salt })
      return salt
    } catch (error) {
      logger.warn('audit.no-salt', { dealId: deal.dealId, code: errorCode(error), error: errorMessage(error) })
      if (!(error instanceof CodedError && error.data['remote'] === true)) throw error
      return undefined
    }
  }

  /** Claims the leaf and challenges it at once. */
  const challengeLeaf = async (deal: Deal, signature: Signature): Promise<ContractCall> => {
    const { creatorSignature, providerSignature } = deal
    if (creatorSignature === undefined || providerSignature === undefined) throw new RoleError('ROLE_NO_RESULT', 'the deal lacks a consent', { data: { dealId: deal.dealId } })
    return challengeLeafCall(chain, await leaves.openingOf(deal), { ...deal, creatorSignature, providerSignature }, signature)
  }

  const challengeOnChain = async (deal: Deal): Promise<void> => {
    const { result } = deal
    if (result === undefined) return
    if (deal.challengedAt === undefined) {
      const signature = signer.sign(challengeDigest(chain.domain, { dealId: deal.dealId, manifest: result.manifest, kind: CHALLENGE_KINDS.wrong }))
      const call = isLeaf(deal) ? await challengeLeaf(deal, signature) : challengeCall(chain, deal, signature)
      const receipt = await chain.send(call, { name: 'challenge', signal: options.signal })
      await leaves.takeReceipt(receipt)
      await deals.apply(deal, 'challenged', (changed) => { recordTransaction(receipt)(changed); changed.challengedAt = receipt.blockTime; takeEvents(changed, receipt) })
    }
    await court.pursue(deal)
  }

  const fetchVerdict = async (deal: Deal, mediator: Address, salt: Hash): Promise<void> => {
    if (deal.verdict !== undefined) return
    const verdict = await verdicts.ask(deal, mediator, { creator: deal.ownSalt, provider: salt })
    logger.info('audit.verdict', { dealId: deal.dealId, mediator, outcome: verdict.outcome })
    await deals.update(deal, (changed) => { changed.verdict = verdict })
  }

  const audit = async (deal: Deal, mediator: Address, salt: Hash): Promise<void> => {
    await fetchVerdict(deal, mediator, salt)
    if (deal.verdict?.outcome === OUTCOMES.correct) await accept(deal)
    else await challengeOnChain(deal)
  }

  return {
    accept,
    acceptsUnseen: (deal) => {
      const decision = decide(deal.dealId, deal.terms.rest, { creator: deal.ownSalt, provider: deal.otherSalt }, deal.mediators)
      return decision.action === 'accept' && decision.beforeFetch
    },
    judge: async (deal) => {
      if (deal.state === 'ResultsChallenged') {
        await court.pursue(deal)
        return
      }
      const salt = deal.terms.rest.verification === 2 ? await providerSalt(deal) : undefined
      const decision = decide(deal.dealId, deal.terms.rest, { creator: deal.ownSalt, provider: salt }, deal.mediators)
      if (decision.action === 'accept') await accept(deal)
      else if (decision.action === 'audit' && salt !== undefined) await audit(deal, decision.mediator, salt)
      else await challengeOnChain(deal)
    },
    escalate: async (deal, blockTime) => {
      const { state, submittedAt, terms: { rest } } = deal
      if (state !== 'ResultsSubmitted' || submittedAt === undefined || deal.acceptance !== undefined || escalating.has(deal.dealId)) return
      if (rest.verification !== 2 || blockTime < submittedAt + rest.judgeSeconds / 2) return
      if (decide(deal.dealId, rest, { creator: deal.ownSalt, provider: deal.otherSalt }, deal.mediators).action === 'accept') return
      escalating.add(deal.dealId)
      try {
        await challengeOnChain(deal)
      } finally {
        escalating.delete(deal.dealId)
      }
    },
    dispute: async (deal) => {
      if (deal.mediators.mediators.length === 0) {
        logger.warn('deal.undisputable', { dealId: deal.dealId, hint: 'the parties share no mediator; the result stands unless the provider gives up' })
        return
      }
      const salt = await providerSalt(deal).catch(() => undefined)
      if (salt !== undefined) {
        const { mediator } = drawAudit(deal.dealId, deal.terms.rest, { creator: deal.ownSalt, provider: salt }, deal.mediators)
        if (mediator !== undefined) {
          await audit(deal, mediator, salt)
          return
        }
      }
      await challengeOnChain(deal)
    }
  }
}
