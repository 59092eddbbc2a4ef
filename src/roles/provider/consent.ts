import type { Clock } from '../../core/clock.ts'
import type { Chain } from '../../chain/chain.ts'
import { isBatched } from '../../deal/batched.ts'
import type { Deal } from '../../deal/deal.ts'
import { DealError } from '../../deal/errors.ts'
import type { DealParameters } from '../../deal/options.ts'
import { buildTerms, commonMediators, saltFor } from '../../deal/terms.ts'
import type { Signer } from '../../identity/signer.ts'
import { recoverSigner } from '../../wire/signature.ts'
import { trustedBy } from '../../match/mediators.ts'
import { collateralFor, feeFor } from '../../match/price.ts'
import type { MatchRules } from '../../match/problem.ts'
import { certificateSetOf } from '../../wire/auction.ts'
import { saltHash } from '../../wire/deal-messages.ts'
import { BATCHED_LANE, dealIdOf, dealTermsDigest, type DealTerms } from '../../wire/deal-terms.ts'
import type { DealRequestOf, proposeAnswerShape, SignedAnswer } from '../../wire/deal-room.ts'
import type { Address, Hash } from '../../wire/shapes.ts'
import type { z } from 'zod'
import type { BookReplica } from '../../book/replica.ts'
import type { AuctionView } from '../auction.ts'
import type { BatchPath } from '../batch/path.ts'
import type { Pairing } from '../decision.ts'
import { findLines } from '../deal-lines.ts'
import type { DealBook } from '../deal-book.ts'
import { sharesOf, type CapacityLedger } from './capacity.ts'
import type { OfferPolicy, OfferPublisher } from './offers.ts'

export interface ConsentComponents {
  auction: Pick<AuctionView, 'checkPair' | 'prices'>
  deals: DealBook
  ledger: CapacityLedger
  offers: Pick<OfferPublisher, 'unitOf'>
  policy: Pick<OfferPolicy, 'isOpen'>
  replica: Pick<BookReplica, 'book'>
  chain: Pick<Chain, 'account' | 'domain' | 'moduleVersion'>
  path: BatchPath
  signer: Signer
  clock: Clock
}
export interface ConsentOptions { rules: MatchRules, parameters: DealParameters, parametersHash: Hash, saltSecret: Hash, mediators: () => Promise<ReadonlyMap<Address, number>> }

/** The provider's half of the consent: checks a proposal against what it knows itself, journals, signs. */
export function createProviderConsent (components: ConsentComponents, options: ConsentOptions): {
  propose: (message: DealRequestOf<'propose'>, peer: string) => Promise<z.output<typeof proposeAnswerShape>>
  agree: (message: DealRequestOf<'agree'>) => Promise<Deal>
} {
  const { deals, ledger, offers, chain, signer, clock } = components
  const { domain } = chain

  return {
    propose: async (message, peer) => {
      const { pairing: pair, better } = components.auction.checkPair({ epoch: message.epoch, evidence: message.evidence, job: message.jobOfferId, offer: message.resourceOfferId, isPassedOver: hasLeft })
      const job = pair.job.offer
      const dealId = dealIdOf(domain, pair.job.account, job.jobNumber, job.attempt)
      const known = deals.get(dealId)
      if (known !== undefined) return repeat(known, message)
      assertOpen()
      if (better !== undefined) return { better: better.evidence, resourceOfferId: better.offer.id }
      if ('replicas' in job.verification) throw new DealError('DEAL_REPLICAS_UNSERVED', 'jobs with replicas are matched and not served yet', { data: { job: message.jobOfferId } })

      const unit = offers.unitOf(message.resourceOfferId)
      if (unit === undefined || pair.offer.account !== signer.address) throw new DealError('DEAL_NOT_OURS', 'the resource offer is not ours', { data: { offer: message.resourceOfferId } })
      const entry = components.replica.book.get(message.jobOfferId)
      if (entry === undefined) throw new DealError('DEAL_UNKNOWN_OFFER', 'the job offer is cancelled, replaced or not known here', { data: { job: message.jobOfferId } })

      const { prices } = components.auction
      prices.adopt(message.epoch, message.proofs)
      const ours = prices.setFor(message.epoch, pair)
      const lacking = ours.filter((id) => !message.certificates.includes(id))
      if (lacking.length > 0) return { certificates: ours, proofs: prices.proofs(message.epoch, lacking) }
      const price = prices.priceFor(message.epoch, pair, message.certificates)
      const most = feeFor(price, options.rules)
      if (message.fee < options.rules.minFee || message.fee > most) throw new DealError('DEAL_FEE', `the solver's fee of ${message.fee} nLILY is not from ${options.rules.minFee} to ${most}`, { data: { fee: message.fee, least: options.rules.minFee, most } })
      const collateral = collateralFor(price, options.rules, job)
      const lockable = collateral + (job.verification.strategy === 'audit' ? options.parameters.auditFee + options.parameters.claimFee : 0)
      const bonded = await options.mediators()
      const mediators = commonMediators(trustedBy(job, options.rules), trustedBy(pair.offer.offer, options.rules), bonded, [pair.job.account, signer.address, pair.solver])
      if (job.verification.strategy === 'audit' && mediators.mediators.length === 0) throw new DealError('DEAL_NO_MEDIATOR', 'no mediator that both trust has a live bond')
      const lines = await findLines(components, { version: message.version, manifest: job.module, price, poolBp: options.parameters.poolBp })
      const ownSalt = saltFor(options.saltSecret, dealId)
      const termsIn = (lane: number): DealTerms => buildTerms({
        job, creator: pair.job.account, jobOfferId: message.jobOfferId, provider: signer.address, resourceOfferId: message.resourceOfferId,
        solver: pair.solver, solutionId: pair.solutionId, price, fee: message.fee, collateral, lines, certificateSet: certificateSetOf(message.certificates), mediators,
        parameters: options.parameters, parametersHash: options.parametersHash,
        lane, openBy: Math.floor(clock.now() / 1000) + options.parameters.openSeconds,
        providerSaltHash: saltHash(ownSalt), creatorSaltHash: message.creatorSaltHash
      })
      const batched = termsIn(BATCHED_LANE)
      // An audit's mediator is paid by the direct path.
      const [{ free }, covered] = await Promise.all([chain.account(signer.address), message.batched && job.verification.strategy !== 'audit' && components.path.covers(batched)])
      const twin = deals.get(dealId)
      if (twin !== undefined) return repeat(twin, message)
      // From here to deals.add nothing waits: lanes, collateral and capacity are counted without a gap.
      assertOpen()
      const promised = deals.open().filter((deal) => deal.state === 'DealNegotiating' && !isBatched(deal.terms)).reduce((sum, deal) => sum + deal.terms.core.collateral, 0)
      if (!covered && free < promised + lockable) throw new DealError('DEAL_COLLATERAL_SHORT', `free collateral ${free - promised} nLILY, needed ${lockable}`)
      if (!ledger.reserve(dealId, unit, job.resources, sharesOf(job, pair.devices))) throw new DealError('DEAL_NO_CAPACITY', `unit ${unit} has not enough left`)

      const terms = covered ? batched : termsIn(freeLane(deals))
      const providerSignature = signer.sign(dealTermsDigest(domain, terms))
      await deals.add({
        dealId, role: 'provider', state: 'DealNegotiating', epoch: message.epoch, terms, mediators, jobRecord: entry.bytes, devices: [...pair.devices], peer,
        ownSalt, providerSignature, ...(isBatched(terms) && lines.length > 0 ? { lines } : {}), transactions: [], updatedAtMs: clock.now()
      })
      return { terms, mediators, providerSignature }
    },

    agree: async (message) => {
      const deal = deals.get(message.dealId)
      if (deal === undefined) throw new DealError('DEAL_UNKNOWN', 'no such deal here', { data: { dealId: message.dealId } })
      if (recoverSigner(dealTermsDigest(domain, deal.terms), message.creatorSignature) !== deal.terms.core.creator) {
        throw new DealError('DEAL_BAD_SIGNATURE', 'the consent is not signed by the creator', { data: { dealId: message.dealId } })
      }
      await deals.apply(deal, 'consented', (changed) => { changed.creatorSignature = message.creatorSignature })
      return deal
    }
  }

  /** Whether the solver left the job before: terms of ours that name it were withdrawn or not opened. */
  function hasLeft ({ job, solver }: Pairing): boolean {
    return deals.all().some(({ state, terms: { core } }) => state === 'Cancelled' && core.creator === job.account && core.jobNumber === job.offer.jobNumber && core.feeTo === solver)
  }

  function assertOpen (): void {
    if (!components.policy.isOpen()) throw new DealError('DEAL_CORDONED', 'this provider takes no new deals')
  }

  /** The same proposal gets the same answer; another one for the same deal id would be a second set of terms. */
  function repeat (deal: Deal, message: DealRequestOf<'propose'>): SignedAnswer {
    const { rest } = deal.terms
    const same = rest.jobOfferId === message.jobOfferId && rest.resourceOfferId === message.resourceOfferId && rest.creatorSaltHash === message.creatorSaltHash && rest.certificateSet === certificateSetOf(message.certificates) && deal.terms.core.fee === message.fee
    if (!same || deal.state !== 'DealNegotiating' || deal.providerSignature === undefined) {
      throw new DealError('DEAL_EXISTS', `terms for this deal were signed before; it is in ${deal.state}`, { data: { dealId: deal.dealId, state: deal.state } })
    }
    return { terms: deal.terms, mediators: deal.mediators, providerSignature: deal.providerSignature }
  }
}

/** The lowest lane that no live deal of ours holds: reusing a lane makes the next deal cheaper on chain. */
function freeLane (deals: DealBook): number {
  const taken = new Set(deals.open().map((deal) => deal.terms.core.lane))
  let lane = 0
  while (taken.has(lane)) lane++
  return lane
}
