import type { Devices } from './devices.ts'
import { BP, floorShare, safe } from './integers.ts'
import { ONE_TICK, type MatchRules } from './options.ts'
import { askFor, referenceAlone, referenceFor } from './price.ts'
import type { JobRow, OfferRow } from './problem.ts'

/** protocol/matching.md, Score. */

/** What a provider's reputation is while nothing says otherwise, bp. */
export const FULL_REPUTATION = BP

/** The band round a reference price that limits and asks count within. */
export interface Band { low: number, high: number }

/** reference * (10,000 -/+ bandBp) / 10,000, floored. */
export function bandFor (reference: number, rules: MatchRules): Band {
  return { low: floorShare(reference, BP - rules.bandBp), high: Math.min(Number.MAX_SAFE_INTEGER, floorShare(reference, BP + rules.bandBp)) }
}

/** The amount as it counts: clipped to the band. */
export function clip (amount: number, band: Band): number {
  return Math.min(band.high, Math.max(band.low, amount))
}

/** What stands on the provider's ask for what its reputation lacks: bounded, of the provider alone. Lowers the score, never the price. */
export function premiumFor (ask: number, offer: Pick<OfferRow, 'reputationBp'>, rules: MatchRules): number {
  const missing = BP - (offer.reputationBp ?? FULL_REPUTATION)
  return missing === 0 ? 0 : floorShare(ask, floorShare(rules.maxPremiumBp, missing))
}

/** What the epochs that the offer has waited add to its limit: bounded, of the job alone. */
export function ageFor ({ offer, ageEpochs = 0 }: Pick<JobRow, 'offer' | 'ageEpochs'>, rules: MatchRules): number {
  if (ageEpochs === 0) return 0
  const reference = referenceAlone(offer, rules)
  return Number.isSafeInteger(reference) ? floorShare(reference, rules.ageBp * Math.min(ageEpochs, rules.maxAgeEpochs)) : 0
}

/** True for a job whose pairs count one tick: it singles providers out, so that its creator may be one of them, or it came late. */
export function isTickJob ({ offer, late }: Pick<JobRow, 'offer' | 'late'>): boolean {
  return late === true || offer.targets.length > 0
}

/** The same for an offer. */
export function isTickOffer ({ offer, late }: Pick<OfferRow, 'offer' | 'late'>): boolean {
  return late === true || offer.creators.length > 0
}

/**
 * What an admissible pair adds to a solution's score: clipped limit + age - clipped ask with premium, at least one tick and at most 2^53 - 1; a pair with a
 * list or a late record exactly one tick.
 */
export function welfareOf (job: JobRow, offer: OfferRow, rules: MatchRules, devices: Devices): number {
  if (isTickJob(job) || isTickOffer(offer)) return ONE_TICK
  const band = bandFor(referenceFor(job.offer, offer.offer, rules, devices), rules)
  const ask = askFor(job.offer, offer.offer, devices)
  const cost = clip(safe(ask + premiumFor(ask, offer, rules)), band)
  return Math.min(Number.MAX_SAFE_INTEGER, Math.max(ONE_TICK, clip(job.offer.limit, band) - cost + ageFor(job, rules)))
}
