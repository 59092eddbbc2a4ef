import type { Chain } from '../../chain/chain.ts'
import { settleAuditedCall, settleCall, submitCall } from '../../chain/calls.ts'
import { settleDisputedCall } from '../../chain/dispute-calls.ts'
import { settleBatchCall } from '../../chain/batch/calls.ts'
import { ownerIndex } from '../../chain/batch/layout.ts'
import type { Clock } from '../../core/clock.ts'
import { errorMessage } from '../../core/errors.ts'
import type { Logger } from '../../core/logger.ts'
import { hasLeaf, isLeaf } from '../../deal/batched.ts'
import type { Deal } from '../../deal/deal.ts'
import { DealError } from '../../deal/errors.ts'
import { assertLines, linesByLeaf } from '../../deal/lines.ts'
import { submitDueAt } from '../../deal/timeouts.ts'
import { isTerminal } from '../../deal/states.ts'
import { acceptanceDigest } from '../../wire/deal-messages.ts'
import type { DealRequestOf } from '../../wire/deal-room.ts'
import { recoverSigner } from '../../wire/signature.ts'
import { statementDigest } from '../../wire/statement.ts'
import type { Leaves } from '../batch/leaves.ts'
import type { DealBook } from '../deal-book.ts'
import { recordTransaction } from '../transactions.ts'

export interface SettleComponents { deals: DealBook, leaves: Leaves, chain: Pick<Chain, 'domain' | 'send' | 'deployment'>, clock: Clock, logger: Logger }

/** The provider's way to its money: by the creator's acceptance, else by putting the result on chain in time. A leaf's solver settles it; the provider when that is late. */
export function createSettlement (components: SettleComponents, options: { signal: AbortSignal, settleSeconds: number }): {
  accepted: (message: DealRequestOf<'accept'>) => Promise<Deal>
  settle: (deal: Deal) => Promise<void>
  submitIfDue: (deal: Deal, blockTime: number) => Promise<void>
} {
  const { deals, leaves, chain, clock, logger } = components
  const busy = new Set<string>()

  /** One transaction per deal at a time; a failure is logged and tried again at the next tick. */
  const once = async (deal: Deal, name: string, send: () => Promise<void>): Promise<void> => {
    if (busy.has(deal.dealId)) return
    busy.add(deal.dealId)
    try {
      await send()
    } catch (error) {
      if (!options.signal.aborted) logger.warn(`deal.${name}`, { dealId: deal.dealId, error: errorMessage(error) })
    } finally {
      busy.delete(deal.dealId)
    }
  }

  /** The creator's statement in the message, checked against this leaf. */
  const statementOf = (deal: Deal, message: DealRequestOf<'accept'>): Pick<Deal, 'statement'> => {
    const { batch, terms: { core: { creator } } } = deal
    if (batch === undefined || !isLeaf(deal)) return {}
    const { statement } = message
    if (statement === undefined || !hasLeaf(statement.leaves, batch.leaf)) throw new DealError('DEAL_BAD_STATEMENT', 'the acceptance of a leaf brings the creator\'s statement of it', { data: { dealId: deal.dealId, batch: batch.id, leaf: batch.leaf } })
    const byLeaf = linesByLeaf(statement.leaves, statement.lines)
    assertLines(deal.terms, byLeaf.get(batch.leaf) ?? [])
    const digest = statementDigest(chain.domain, { batch: batch.id, creator, leaves: BigInt(statement.leaves), lines: [...byLeaf.values()].flat() })
    if (recoverSigner(digest, statement.signature) !== creator) throw new DealError('DEAL_BAD_SIGNATURE', 'the statement is not signed by the creator', { data: { dealId: deal.dealId } })
    // From the first one on: repeating it does not put the settlement off.
    const atMs = deal.statement?.batch === batch.id ? deal.statement.atMs : clock.now()
    const { leaves: named, signature, lines } = statement
    return { statement: { batch: batch.id, leaves: named, signature, ...(lines === undefined ? {} : { lines }), atMs } }
  }

  const claim = async (deal: Deal): Promise<void> => { await leaves.takeReceipt(await chain.send(await leaves.claimCall(deal), { name: 'claim', signal: options.signal })) }

  /** Pays what the statement names: more than this leaf, where it names more. Without one for this batch (a re-org gave it another id) the leaf is claimed, and paid by the acceptance. */
  const settleLeaf = async (deal: Deal): Promise<void> => {
    const { statement, batch, terms: { core: { creator } } } = deal
    if (clock.now() < (statement?.atMs ?? deal.updatedAtMs) + options.settleSeconds * 1000) return
    if (statement === undefined || statement.batch !== batch?.id) {
      await once(deal, 'claim', async () => { await claim(deal) })
      return
    }
    await once(deal, 'settle', async () => {
      const held = await leaves.batchOf(deal)
      const signed = { owner: ownerIndex(held, creator), leaves: BigInt(statement.leaves), lines: (statement.lines ?? []).flat(), signature: statement.signature }
      await leaves.takeReceipt(await chain.send(settleBatchCall(held, [signed]), { name: 'settle', signal: options.signal }))
    })
  }

  return {
    accepted: async (message) => {
      const deal = deals.get(message.dealId)
      if (deal?.result === undefined) throw new DealError('DEAL_UNKNOWN', 'no such deal with a result here', { data: { dealId: message.dealId } })
      if (message.manifest !== deal.result.manifest) throw new DealError('DEAL_WRONG_MANIFEST', 'the acceptance is for another result', { data: { dealId: message.dealId } })
      const signer = recoverSigner(acceptanceDigest(chain.domain, { dealId: deal.dealId, manifest: message.manifest }), message.signature)
      if (signer !== deal.terms.core.creator) throw new DealError('DEAL_BAD_SIGNATURE', 'the acceptance is not signed by the creator', { data: { dealId: message.dealId } })
      const statement = statementOf(deal, message)
      await deals.update(deal, (changed) => {
        changed.acceptance = message.signature
        Object.assign(changed, statement)
        if (message.verdict !== undefined) changed.verdict = message.verdict
      })
      return deal
    },
    settle: async (deal) => {
      const { acceptance, result, verdict } = deal
      if (acceptance === undefined || result === undefined || isTerminal(deal.state)) return
      if (isLeaf(deal)) {
        await settleLeaf(deal)
        return
      }
      await once(deal, 'settle', async () => {
        const call = deal.state === 'ResultsChallenged'
          ? settleDisputedCall(chain, deal, result.manifest, acceptance)
          : verdict === undefined
          ? settleCall(chain, deal.terms, result.manifest, acceptance)
          : settleAuditedCall(chain, deal, { manifest: result.manifest, acceptance, verdict })
        const receipt = await chain.send(call, { name: 'settle', signal: options.signal })
        await deals.apply(deal, 'settled', recordTransaction(receipt))
      })
    },
    submitIfDue: async (deal, blockTime) => {
      const { result, start } = deal
      if (result === undefined || start?.creatorSignature === undefined || deal.acceptance !== undefined || deal.submittedAt !== undefined || isTerminal(deal.state) || deal.state === 'ResultsChallenged') return
      if (blockTime < submitDueAt(deal.terms.rest, start.startedAt)) return
      await once(deal, 'submit', async () => {
        if (isLeaf(deal)) await claim(deal)
        const receipt = await chain.send(submitCall(chain, deal), { name: 'submit', signal: options.signal })
        await deals.apply(deal, 'submitted', (changed) => {
          recordTransaction(receipt)(changed)
          changed.submittedAt = receipt.blockTime
        })
      })
    }
  }
}
