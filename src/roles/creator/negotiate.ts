import type { Chain } from '../../chain/chain.ts'
import type { Clock } from '../../core/clock.ts'
import { errorCode, errorMessage } from '../../core/errors.ts'
import type { Logger } from '../../core/logger.ts'
import { isBatched } from '../../deal/batched.ts'
import type { Deal } from '../../deal/deal.ts'
import { DealError } from '../../deal/errors.ts'
import { DEADLINE_SKEW_SECONDS } from '../../deal/timeouts.ts'
import type { DealParameters } from '../../deal/options.ts'
import { assertSameTerms, buildTerms, saltFor } from '../../deal/terms.ts'
import type { Signer } from '../../identity/signer.ts'
import { trustedBy } from '../../match/mediators.ts'
import { collateralFor } from '../../match/price.ts'
import type { MatchRules } from '../../match/problem.ts'
import { certificateSetOf } from '../../wire/auction.ts'
import { saltHash } from '../../wire/deal-messages.ts'
import { isPromiseSigned } from '../../wire/broken-promise.ts'
import { dealIdOf, dealRestHash, dealTermsDigest, type Consent } from '../../wire/deal-terms.ts'
import type { SignedAnswer } from '../../wire/deal-room.ts'
import type { Address, Hash } from '../../wire/shapes.ts'
import type { Line } from '../../wire/statement.ts'
import { recoverSigner } from '../../wire/signature.ts'
import type { AuctionView } from '../auction.ts'
import type { BatchPath } from '../batch/path.ts'
import type { Pairing } from '../decision.ts'
import type { DealBook } from '../deal-book.ts'
import { findLines } from '../deal-lines.ts'
import type { DealRoom } from '../deal-room.ts'
import { propose, type Choices } from './propose.ts'

export interface NegotiateComponents { path: BatchPath, isBonded: (solver: Address) => boolean, auction: Pick<AuctionView, 'prices' | 'decision' | 'checkPair' | 'noteStalled'>, deals: DealBook, room: DealRoom, chain: Pick<Chain, 'domain' | 'moduleVersion'>, versionOf: (manifest: string) => Promise<Hash>, signer: Signer, clock: Clock, logger: Logger }
export interface NegotiateOptions { rules: MatchRules, parameters: DealParameters, parametersHash: Hash, saltSecret: Hash, mediators: () => Promise<ReadonlyMap<Address, number>> }

/** The creator's half of the consent. */
export interface Negotiation {
  /** `isWanted` is asked last, before anything is signed: a job may be cancelled while the provider thinks. */
  negotiate: (pairing: Pairing, jobRecord: Uint8Array, isWanted: () => boolean) => Promise<Deal>
  /** Sends a journalled consent (again) to the provider and the solver. */
  send: (deal: Deal) => Promise<void>
}

/**
 * Proposes a pair to its provider, checks the signed terms against its own, journals, signs, and hands the deal to the
 * solver that found it. Rejects with the provider's refusal or DealError.
 */
export function createNegotiation (components: NegotiateComponents, options: NegotiateOptions): Negotiation {
  const { deals, room, signer, clock, logger } = components
  const { domain } = components.chain

  const askToOpen = async (deal: Deal, peer: string, consent: Consent): Promise<void> => {
    const promise = await room.open(peer, consent, deal.peer)
    const { core, rest } = consent.terms
    if (!isPromiseSigned(domain, { core, restHash: dealRestHash(rest), signature: promise })) throw new DealError('DEAL_BAD_SIGNATURE', 'the promise to open is not signed by the solver')
    await deals.update(deal, (changed) => { changed.promise = promise })
  }

  /** Both at once: the provider needs the consent to open by itself should the solver not. */
  const send = async (deal: Deal): Promise<void> => {
    const { dealId, terms, creatorSignature, providerSignature } = deal
    if (creatorSignature === undefined || providerSignature === undefined) return
    const sent = await Promise.allSettled([
      room.agree(deal.peer, dealId, creatorSignature),
      deal.solverPeer === undefined ? Promise.resolve() : askToOpen(deal, deal.solverPeer, { terms, creatorSignature, providerSignature })
    ])
    for (const result of sent) {
      if (result.status === 'rejected') logger.debug('deal.consent.send', { dealId, code: errorCode(result.reason), error: errorMessage(result.reason) })
    }
  }

  const negotiate = async (wanted: Pairing, jobRecord: Uint8Array, isWanted: () => boolean): Promise<Deal> => {
    const job = wanted.job.offer
    const dealId = dealIdOf(domain, signer.address, job.jobNumber, job.attempt)
    if (deals.get(dealId) !== undefined) throw new DealError('DEAL_EXISTS', 'terms for this attempt were signed before', { data: { dealId } })
    const ownSalt = saltFor(options.saltSecret, dealId)
    const version = await components.versionOf(job.module)
    const { pairing, answer, choices } = await propose(components, { pairing: wanted, creatorSaltHash: saltHash(ownSalt), version, rules: options.rules, mayBatch })
    const { offer, solver, solutionId } = pairing
    const { peer } = offer.offer
    const lines = await findLines(components, { version, manifest: job.module, price: choices.price, poolBp: options.parameters.poolBp })
    await checkAnswer(pairing, answer, choices, lines)
    await assertReady(pairing, dealId, answer)
    if (!isWanted()) {
      // The provider holds a lane and capacity for it; should it not hear this, they come back after openBy.
      await Promise.allSettled([room.withdraw(peer, dealId)])
      throw new DealError('DEAL_UNWANTED', 'the job was cancelled while its deal was negotiated', { data: { dealId } })
    }
    // From here to deals.add nothing waits: a cancellation finds either no deal or this one.
    const creatorSignature = signer.sign(dealTermsDigest(domain, answer.terms))
    const deal: Deal = {
      dealId, role: 'creator', state: 'DealNegotiating', epoch: pairing.epoch, terms: answer.terms, mediators: answer.mediators, jobRecord, devices: [...pairing.devices], peer,
      ...(pairing.solverPeer === undefined ? {} : { solverPeer: pairing.solverPeer }),
      ownSalt, creatorSignature, providerSignature: answer.providerSignature, ...(isBatched(answer.terms) && lines.length > 0 ? { lines } : {}), transactions: [], updatedAtMs: clock.now()
    }
    await deals.add(deal)
    logger.info('deal.consented', { dealId, epoch: deal.epoch, provider: offer.account, solver, solutionId })
    void send(deal)
    return deal
  }

  return { negotiate, send }

  /** Before anything is signed: a solver that stalls shall cost neither side more than this. */
  async function assertReady ({ solver, solverPeer, offer }: Pairing, dealId: Hash, { terms, providerSignature }: SignedAnswer): Promise<void> {
    if (solverPeer === undefined) return
    try {
      await room.ready(solverPeer, { terms, providerSignature })
    } catch (error) {
      components.auction.noteStalled(solver)
      await Promise.allSettled([room.withdraw(offer.offer.peer, dealId)])
      throw new DealError('DEAL_SOLVER_AWAY', `solver ${solver} does not say that it will open the deal: ${errorMessage(error)}`, { data: { solver, code: errorCode(error) }, cause: error })
    }
  }

  /** A solver that nobody knows, or that has no bond, has no batches; an audit's mediator is paid by the direct path. */
  function mayBatch ({ solver, solverPeer, job }: Pairing): boolean {
    return solverPeer !== undefined && components.isBonded(solver) && job.offer.verification.strategy !== 'audit'
  }

  async function checkAnswer (pairing: Pairing, answer: SignedAnswer, choices: Choices, lines: readonly Line[]): Promise<void> {
    const { job: row, offer, solver, solutionId } = pairing
    const { core, rest } = answer.terms
    const { price, fee } = choices
    const nowSeconds = Math.floor(clock.now() / 1000)
    if (Math.abs(core.openBy - nowSeconds - options.parameters.openSeconds) > DEADLINE_SKEW_SECONDS * 2) {
      throw new DealError('DEAL_TERMS_DIFFER', `openBy ${core.openBy} is not ${options.parameters.openSeconds} s from now`, { data: { field: 'openBy' } })
    }
    const bonded = await options.mediators()
    for (const [index, mediator] of answer.mediators.mediators.entries()) {
      const trusted = trustedBy(row.offer, options.rules).includes(mediator) && ![signer.address, offer.account, solver].includes(mediator)
      if (!trusted || bonded.get(mediator) !== answer.mediators.weights[index]) throw new DealError('DEAL_TERMS_DIFFER', `mediator ${mediator} is not one we would draw`, { data: { field: 'mediators' } })
    }
    if (row.offer.verification.strategy === 'audit' && answer.mediators.mediators.length === 0) throw new DealError('DEAL_NO_MEDIATOR', 'the provider offers no mediator for an audited job')
    const terms = buildTerms({
      job: row.offer, creator: signer.address, jobOfferId: row.id, provider: offer.account, resourceOfferId: offer.id, solver, solutionId,
      price, fee, collateral: collateralFor(price, options.rules, row.offer), certificateSet: certificateSetOf(choices.certificates), lines, mediators: answer.mediators,
      parameters: options.parameters, parametersHash: options.parametersHash, lane: core.lane, openBy: core.openBy,
      providerSaltHash: rest.providerSaltHash, creatorSaltHash: choices.creatorSaltHash
    })
    assertSameTerms(terms, answer.terms)
    if (isBatched(terms) && (!mayBatch(pairing) || !await components.path.covers(terms))) throw new DealError('DEAL_NO_BATCHES', 'a batch is not agreed on, or a session does not cover the deal', { data: { provider: offer.account, solver } })
    if (recoverSigner(dealTermsDigest(domain, answer.terms), answer.providerSignature) !== offer.account) throw new DealError('DEAL_BAD_SIGNATURE', 'the terms are not signed by the provider')
  }
}
