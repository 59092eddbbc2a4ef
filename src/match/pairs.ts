import { affords, suits } from './admissible.ts'
import { NO_DEVICES, variantsOf, type Devices } from './devices.ts'
import type { Market } from './market.ts'
import { collateralFor, priceFor, referenceAlone } from './price.ts'
import type { JobRow, OfferRow } from './problem.ts'
import { bandFor, clip, isTickJob, welfareOf } from './score.ts'
import { createScreen } from './screen.ts'
import { seatsOf, type Seats } from './seats.ts'

/** All admissible pairs of a market, grouped by job in canonical order; the copies of a job share them. Pair numbers are positions in the columns. */
export interface Pairs {
  readonly count: number
  readonly seats: Seats
  /** Pairs of job j are jobStart[j] to jobStart[j + 1] - 1. */
  readonly jobStart: Int32Array
  readonly job: Int32Array
  readonly offer: Int32Array
  /** Per pair: its devices when looked at alone, by number in `variants`; a packing takes others of the same kinds. */
  readonly variant: Int32Array
  readonly variants: readonly Devices[]
  /** What the pair adds to the score, and what its provider locks, nLILY: safe integers in doubles. */
  readonly welfare: Float64Array
  readonly collateral: Float64Array
  /** 1 where job and offer name a common place. */
  readonly near: Uint8Array
  /** Per bundle: what it counts as a bid, the mean of its jobs' clipped limits; a job narrowed to targets bids no more than its pairs count. */
  readonly bid: Float64Array
}

/** Pairs that are found job by job, so that who has other things to do may stop in between. */
export interface Gathering {
  /** Finds the next job's pairs, in canonical order. False: there is none left. */
  next: () => boolean
  /** What was found; jobs that were not come to have none. */
  pairs: () => Pairs
}

/** Tries every job on every offer: O(jobs * offers). */
export function pairsOf (market: Market): Pairs {
  const gathering = gatherPairs(market)
  while (gathering.next());
  return gathering.pairs()
}

export function gatherPairs (market: Market): Gathering {
  const { jobs, offers, rules } = market
  const seats = seatsOf(market)
  const jobStart = new Int32Array(jobs.length + 1)
  const columns = { job: [] as number[], offer: [] as number[], variant: [] as number[], welfare: [] as number[], collateral: [] as number[], near: [] as number[] }
  const variants = createVariants()
  const screen = createScreen(market)
  let jobAt = 0
  return {
    next: () => {
      if (jobAt === jobs.length) return false
      const row = jobs[jobAt] as JobRow
      for (const offerAt of screen.offersFor(row)) {
        const other = offers[offerAt] as OfferRow
        if (!suits(row, other, market)) continue
        for (const devices of variantsOf(row.offer, other.offer)) {
          if (!affords(row, other, market, devices)) continue
          columns.job.push(jobAt)
          columns.offer.push(offerAt)
          columns.variant.push(variants.numberOf(devices))
          columns.welfare.push(welfareOf(row, other, rules, devices))
          columns.collateral.push(collateralFor(priceFor(row.offer, other.offer, rules, devices), rules, row.offer))
          columns.near.push(row.offer.locality.some((place) => other.offer.locality.includes(place)) ? 1 : 0)
        }
      }
      jobStart[++jobAt] = columns.job.length
      return true
    },
    pairs: () => ({
      count: columns.job.length, seats, jobStart: jobStart.fill(columns.job.length, jobAt + 1), job: Int32Array.from(columns.job), offer: Int32Array.from(columns.offer),
      variant: Int32Array.from(columns.variant), variants: variants.list, welfare: Float64Array.from(columns.welfare), collateral: Float64Array.from(columns.collateral),
      near: Uint8Array.from(columns.near), bid: Float64Array.from(seats.bundles, (bundle) => bidOf(market, seats, bundle))
    })
  }
}

/** Bundles by falling bid; canonical order among equals. */
export function bundlesByBid (pairs: Pairs): Int32Array {
  return Int32Array.from(pairs.bid.keys()).sort((left, right) => (pairs.bid[right] as number) - (pairs.bid[left] as number) || left - right)
}

function bidOf ({ jobs, rules }: Market, seats: Seats, bundle: readonly number[]): number {
  const sum = bundle.reduce((total, seat) => {
    const row = jobs[seats.job[seat] as number] as JobRow
    return total + (isTickJob(row) ? 0 : clip(row.offer.limit, bandFor(referenceAlone(row.offer, rules), rules)))
  }, 0)
  return sum / bundle.length
}

/** Numbers equal lists of devices once: most machines of a book are alike. */
function createVariants (): { list: Devices[], numberOf: (devices: Devices) => number } {
  const list: Devices[] = [NO_DEVICES]
  const numbers = new Map<string, number>()
  return {
    list,
    numberOf: (devices) => {
      if (devices.length === 0) return 0
      const key = devices.join()
      let found = numbers.get(key)
      if (found === undefined) {
        found = list.push(devices) - 1
        numbers.set(key, found)
      }
      return found
    }
  }
}
