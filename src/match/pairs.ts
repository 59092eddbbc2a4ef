import { admissible } from './admissible.ts'
import type { Market } from './market.ts'
import { bandFor, clip, collateralFor, priceFor, referenceFor, welfareOf } from './price.ts'
import type { JobRow, OfferRow } from './problem.ts'

/** All admissible pairs of a market, grouped by job in canonical order. Pair numbers are positions in the columns. */
export interface Pairs {
  readonly count: number
  /** Pairs of job j are jobStart[j] to jobStart[j + 1] - 1. */
  readonly jobStart: Int32Array
  readonly job: Int32Array
  readonly offer: Int32Array
  /** What the pair adds to the score, and what its provider locks, nLILY: safe integers in doubles. */
  readonly welfare: Float64Array
  readonly collateral: Float64Array
  /** Per job: what it counts as a bid, its clipped limit; a job narrowed to targets bids no more than its pairs count. */
  readonly bid: Float64Array
}

/** Tries every job on every offer: O(jobs * offers). */
export function pairsOf (market: Market): Pairs {
  const { jobs, offers, rules, atMs } = market
  const jobStart = new Int32Array(jobs.length + 1)
  const job: number[] = []
  const offer: number[] = []
  const welfare: number[] = []
  const collateral: number[] = []
  const bid = new Float64Array(jobs.length)
  for (let jobAt = 0; jobAt < jobs.length; jobAt++) {
    const row = jobs[jobAt] as JobRow
    for (let offerAt = 0; offerAt < offers.length; offerAt++) {
      const other = offers[offerAt] as OfferRow
      if (!admissible(row, other, rules, atMs).ok) continue
      job.push(jobAt)
      offer.push(offerAt)
      welfare.push(welfareOf(row.offer, other.offer, rules))
      collateral.push(collateralFor(priceFor(row.offer, other.offer, rules), rules, row.offer))
    }
    jobStart[jobAt + 1] = job.length
    bid[jobAt] = row.offer.targets.length > 0 ? 0 : clip(row.offer.limit, bandFor(referenceFor(row.offer, rules), rules))
  }
  return {
    count: job.length, jobStart, job: Int32Array.from(job), offer: Int32Array.from(offer),
    welfare: Float64Array.from(welfare), collateral: Float64Array.from(collateral), bid
  }
}

/** Jobs by falling bid; canonical order among equals. */
export function jobsByBid (pairs: Pairs): Int32Array {
  return Int32Array.from(pairs.bid.keys()).sort((left, right) => (pairs.bid[right] as number) - (pairs.bid[left] as number) || left - right)
}
