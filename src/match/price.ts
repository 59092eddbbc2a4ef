import type { JobOffer } from '../wire/job-offer.ts'
import type { Ask, ResourceOffer } from '../wire/resource-offer.ts'
import { BP, ONE_TICK, type MatchRules } from './options.ts'

/**
 * Integer prices, nLILY. All operands are safe non-negative integers. A result above 2^53 - 1 is Infinity, never a rounded
 * number: IEEE doubles round such a sum or product of integers to 2^53 or more, so the test after each step is exact.
 */
function safe (amount: number): number {
  return Number.isSafeInteger(amount) ? amount : Number.POSITIVE_INFINITY
}

/** floor(amount * bp / 10,000), exact; Infinity above 2^53 - 1. */
function share (amount: number, bp: number): number {
  const product = amount * bp
  if (Number.isSafeInteger(product)) return Math.floor(product / BP)
  return Number.isSafeInteger(amount) ? safe(Number(BigInt(amount) * BigInt(bp) / BigInt(BP))) : Number.POSITIVE_INFINITY
}

/** What a price hangs on. */
export type Sized = Pick<JobOffer, 'resources' | 'runSeconds'>

function priceAt (unit: Ask, job: Sized): number {
  const { cpuMilli, memoryMiB, diskMiB } = job.resources
  const perSecond = safe(safe(cpuMilli * unit.cpuMilliSecond) + safe(memoryMiB * unit.memoryMiBSecond) + safe(diskMiB * unit.diskMiBSecond))
  return safe(unit.base + safe(job.runSeconds * perSecond))
}

/** What the provider asks for the job's whole span. Infinity: more than any limit can be. */
export function askFor (job: JobOffer, offer: ResourceOffer): number {
  return priceAt(offer.ask, job)
}

/** The reference price of the job's whole span. */
export function referenceFor (job: Sized, rules: MatchRules): number {
  return priceAt(rules.reference, job)
}

/**
 * clamp(reference, ask, limit): what the creator pays and the provider gets, for a pair whose ask is within the limit. The reference
 * stands for the class price until price certificates exist (protocol/matching.md).
 */
export function priceFor (job: JobOffer, offer: ResourceOffer, rules: MatchRules): number {
  return Math.min(job.limit, Math.max(askFor(job, offer), referenceFor(job, rules)))
}

/** max(minFee, floor(price * feeBp / 10,000)): the solver's fee, paid by the creator beside the price. */
export function feeFor (price: number, rules: MatchRules): number {
  return Math.max(rules.minFee, share(price, rules.feeBp))
}

/**
 * What the provider locks for a match at this price: the network's share of it, or what the job demands if that is more,
 * rounded up, so that it never falls below the share.
 */
export function collateralFor (price: number, rules: MatchRules, job: Pick<JobOffer, 'collateralBp'>): number {
  const bp = Math.max(rules.collateralBp, job.collateralBp)
  const floor = share(price, bp)
  if (!Number.isSafeInteger(floor)) return floor
  return BigInt(price) * BigInt(bp) > BigInt(floor) * BigInt(BP) ? safe(floor + 1) : floor
}

/** The band round a reference price that limits and asks count within. */
export interface Band { low: number, high: number }

/** reference * (10,000 -/+ bandBp) / 10,000, floored. */
export function bandFor (reference: number, rules: MatchRules): Band {
  return { low: share(reference, BP - rules.bandBp), high: Math.min(Number.MAX_SAFE_INTEGER, share(reference, BP + rules.bandBp)) }
}

/** The amount as it counts: clipped to the band. */
export function clip (amount: number, band: Band): number {
  return Math.min(band.high, Math.max(band.low, amount))
}

/** True when a list of the job or the offer singles out the other side: anyone can write such a pair for himself. */
export function isNarrowed (job: JobOffer, offer: ResourceOffer): boolean {
  return job.targets.length > 0 || offer.creators.length > 0
}

/** What an admissible pair adds to a solution's score: clipped limit - clipped ask, at least one tick; a narrowed pair exactly one tick. */
export function welfareOf (job: JobOffer, offer: ResourceOffer, rules: MatchRules): number {
  if (isNarrowed(job, offer)) return ONE_TICK
  const band = bandFor(referenceFor(job, rules), rules)
  return Math.max(ONE_TICK, clip(job.limit, band) - clip(askFor(job, offer), band))
}
