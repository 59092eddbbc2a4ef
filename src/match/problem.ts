import type { JobOffer } from '../wire/job-offer.ts'
import type { ResourceOffer } from '../wire/resource-offer.ts'
import type { Address, Hash } from '../wire/shapes.ts'
import type { MatchRules } from './options.ts'

/** protocol/matching.md. The problem of one epoch, as this node sees it. */

export type { Match, Solution } from '../wire/solution.ts'
export type { MatchRules } from './options.ts'

/** A record of the book. `id` is the record's, `account` its owner. */
export interface Row {
  readonly id: Hash
  readonly account: Address
  /** True for a record that left the book too late for every solver to know: a match with it counts all the same (protocol/auction.md, Snapshot). */
  readonly departed?: boolean
  /** True for a record that came too late for every solver to know it in time: a match with it counts one tick. */
  readonly late?: boolean
  /** True for a record that was written, or came, so late that nodes may differ about it: a match with it counts one tick in the solver's lead (protocol/auction.md, Reward). */
  readonly fresh?: boolean
}

/** A job offer of a creator. */
export interface JobRow extends Row {
  readonly offer: JobOffer
  /** Whole epochs since the record was written; left out: 0. */
  readonly ageEpochs?: number
  /** Set by the market: the job's group lacks members, so it fits nowhere. */
  readonly incomplete?: boolean
}

/** A resource offer of a provider. */
export interface OfferRow extends Row {
  readonly offer: ResourceOffer
  /** What the provider can still lock, nLILY; the same for all its offers. */
  readonly freeCollateral: number
  /** What is known of the provider's deals and stake, 0 to 10,000; left out: 10,000. */
  readonly reputationBp?: number
}

/** Everything that scores depend on. Immutable: what is derived from it is kept with it. The order of rows means nothing. */
export interface Snapshot {
  readonly epoch: number
  /** The epoch's start, unix ms: validity and deadlines are judged at this time by every node. */
  readonly atMs: number
  readonly jobs: readonly JobRow[]
  readonly offers: readonly OfferRow[]
  readonly rules: MatchRules
}
