import { formatLily } from '../wire/amount.ts'
import type { Hash } from '../wire/shapes.ts'
import type { Advice } from './advice.ts'
import type { Devices } from './devices.ts'
import { safe } from './integers.ts'
import type { Market } from './market.ts'
import { askFor, referenceFor } from './price.ts'
import type { JobRow, MatchRules, OfferRow, Solution } from './problem.ts'
import { createRest } from './rest.ts'
import { ageFor, bandFor, clip, isTickJob, isTickOffer, premiumFor, welfareOf, type Band } from './score.ts'

/** The place that a job or offer without a match comes nearest to, and what would get it. */
export interface Rival {
  /** The counterpart. */
  id: Hash
  /** Jobs that would lose their place: those that sit on the offer, or the job itself that sits elsewhere. None: there is room, and solvers left it out. */
  over: Hash[]
  advice: Advice
}

/** A place that could be had for `by` nLILY more; undefined when no price gets it. */
interface Place { id: Hash, over: Hash[], by: number | undefined }

interface Sitting { readonly row: JobRow, readonly offerAt: number, readonly devices: Devices, readonly welfare: number }

/**
 * Of the offers that could take the job the one where it has to pay least to count more than those that sit there: each offer's unit gives up those that count
 * least until there is room.
 */
export function rivalOfJob (market: Market, job: JobRow, offers: readonly number[], solution: Solution): Rival | undefined {
  const sittings = sittingsOf(market, solution)
  const rest = createRest(market)
  const onUnit: Sitting[][] = market.units.map(() => [])
  for (const sitting of sittings) {
    rest.move(sitting.row, sitting.offerAt, sitting.devices, 1)
    onUnit[market.unitOf[sitting.offerAt] as number]?.push(sitting)
  }
  for (const list of onUnit) list.sort((left, right) => left.welfare - right.welfare)
  const places = offers.flatMap((offerAt): Place[] => {
    const out: Sitting[] = []
    let devices = rest.roomFor(job, offerAt)
    for (const sitting of onUnit[market.unitOf[offerAt] as number] as Sitting[]) {
      if (devices !== undefined) break
      rest.move(sitting.row, sitting.offerAt, sitting.devices, -1)
      out.push(sitting)
      devices = rest.roomFor(job, offerAt)
    }
    for (const { row, offerAt: at, devices: own } of out) rest.move(row, at, own, 1)
    const offer = market.offers[offerAt] as OfferRow
    return devices === undefined ? [] : [{ id: offer.id, over: out.map(({ row }) => row.id), by: raiseFor(market, job, offer, devices, out.reduce((sum, { welfare }) => sum + welfare, 0)) }]
  })
  return rivalAmong(places, (by) => `raise the limit by ${formatLily(by)} LILY to count more than what sits there`)
}

/** Of the jobs that could run on the offer the one that it has to ask least less for to count more than where that job sits. */
export function rivalOfOffer (market: Market, offerAt: number, jobs: readonly JobRow[], solution: Solution): Rival | undefined {
  const offer = market.offers[offerAt] as OfferRow
  const rest = createRest(market)
  const sittings = new Map(sittingsOf(market, solution).map((sitting) => [sitting.row.id, sitting]))
  const places = jobs.flatMap((job): Place[] => {
    const devices = rest.roomFor(job, offerAt)
    const elsewhere = sittings.get(job.id)
    return devices === undefined ? [] : [{ id: job.id, over: elsewhere === undefined ? [] : [job.id], by: elsewhere === undefined ? 0 : cutFor(market, job, offer, devices, elsewhere.welfare) }]
  })
  return rivalAmong(places, (by) => `ask ${formatLily(by)} LILY less for this job to count more than where it sits`)
}

function rivalAmong (places: readonly Place[], textFor: (by: number) => string): Rival | undefined {
  const [best] = [...places].sort((left, right) => (left.by ?? Number.POSITIVE_INFINITY) - (right.by ?? Number.POSITIVE_INFINITY) || left.over.length - right.over.length || (left.id < right.id ? -1 : 1))
  if (best === undefined) return undefined
  const { id, over, by } = best
  if (by === undefined) return { id, over, advice: { reason: 'price', text: 'no price gets the place: what counts of one is bounded, and others count more', own: false } }
  if (by === 0) return { id, over, advice: { reason: 'price', text: 'it may have the place as it is: the next solution can give it', own: false } }
  return { id, over, advice: { reason: 'price', text: textFor(by), by, own: true } }
}

/** By how much the limit must rise for the pair to count more than `lost`. */
function raiseFor ({ rules }: Market, job: JobRow, offer: OfferRow, devices: Devices, lost: number): number | undefined {
  if (lost === 0 || welfareOf(job, offer, rules, devices) > lost) return 0
  const { band, cost } = costOf(job, offer, devices, rules)
  const limit = lost + 1 + cost - ageFor(job, rules)
  return isTickJob(job) || isTickOffer(offer) || limit > band.high ? undefined : limit - job.offer.limit
}

/** By how much the ask must fall for the pair to count more than `elsewhere`. */
function cutFor ({ rules }: Market, job: JobRow, offer: OfferRow, devices: Devices, elsewhere: number): number | undefined {
  if (welfareOf(job, offer, rules, devices) > elsewhere) return 0
  const { band, ask, asked } = costOf(job, offer, devices, rules)
  const cost = clip(job.offer.limit, band) + ageFor(job, rules) - elsewhere - 1
  // The premium falls with the ask.
  return isTickJob(job) || isTickOffer(offer) || cost < band.low || asked - cost > ask ? undefined : asked - cost
}

/** The ask, the same with the provider's premium, and what counts of that. */
function costOf (job: JobRow, offer: OfferRow, devices: Devices, rules: MatchRules): { band: Band, ask: number, asked: number, cost: number } {
  const band = bandFor(referenceFor(job.offer, offer.offer, rules, devices), rules)
  const ask = askFor(job.offer, offer.offer, devices)
  const asked = safe(ask + premiumFor(ask, offer, rules))
  return { band, ask, asked, cost: clip(asked, band) }
}

/** The matches of rows that the market holds. */
function sittingsOf (market: Market, { matches }: Solution): Sitting[] {
  return matches.flatMap(({ job, offer, devices }): Sitting[] => {
    const row = market.jobs[market.jobIndex.get(job) ?? -1]
    const offerAt = market.offerIndex.get(offer)
    return row === undefined || offerAt === undefined ? [] : [{ row, offerAt, devices, welfare: welfareOf(row, market.offers[offerAt] as OfferRow, market.rules, devices) }]
  })
}
