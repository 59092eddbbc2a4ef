import { devicesSize } from '../wire/devices.ts'
import { encodeSolution, JOB_BYTES, MAX_SOLUTION_BYTES, OFFER_BYTES, shortId, SOLUTION_HEAD_BYTES } from '../wire/solution.ts'
import { marketOf, type Market } from './market.ts'
import type { JobRow, Match, OfferRow, Snapshot, Solution } from './problem.ts'
import { namesOf } from './resolve.ts'
import { welfareOf } from './score.ts'

/** Matches that stay or go together, and what they count for each byte. */
interface Whole { matches: Match[], worth: number }

/**
 * The solution, or those of its matches that fit into one reveal, by what they count for a byte; those of a group, and of a job with replicas, together. Matches
 * whose short ids name nothing or two rows are left out: they would count nothing. A feasible solution stays feasible.
 */
export function fitSolution (snapshot: Snapshot, solution: Solution, maxBytes = MAX_SOLUTION_BYTES): Solution {
  const market = marketOf(snapshot)
  const names = namesOf(market)
  const isNamed = ({ job, offer }: Match): boolean => names.jobs.get(shortId(job)) === job && names.offers.get(shortId(offer)) === offer
  const wholes = wholesOf(market, solution.matches).filter((matches) => matches.every(isNamed))
  const named = wholes.flat()
  if (SOLUTION_HEAD_BYTES + bytesOf(named, new Set()) <= maxBytes) return named.length === solution.matches.length ? solution : { ...solution, matches: named }

  const offers = new Set<string>()
  const kept: Match[] = []
  let bytes = SOLUTION_HEAD_BYTES
  for (const { matches } of wholes.map((one) => toWhole(market, one)).sort((left, right) => right.worth - left.worth)) {
    const more = bytesOf(matches, offers)
    if (bytes + more > maxBytes) continue
    bytes += more
    for (const { offer } of matches) offers.add(offer)
    kept.push(...matches)
  }
  return { ...solution, matches: kept }
}

/** The solution's canonical bytes for a reveal; what does not fit is left out. */
export function solutionToBytes (snapshot: Snapshot, solution: Solution): Uint8Array {
  return encodeSolution(fitSolution(snapshot, solution))
}

function wholesOf (market: Market, matches: readonly Match[]): Match[][] {
  const wholes = new Map<string, Match[]>()
  for (const match of matches) {
    const jobAt = market.jobIndex.get(match.job)
    const group = jobAt === undefined ? -1 : market.groupOf[jobAt] as number
    const key = group < 0 ? match.job : `group ${group}`
    const whole = wholes.get(key)
    if (whole === undefined) wholes.set(key, [match])
    else whole.push(match)
  }
  return [...wholes.values()]
}

/** What the matches add to a solution that names `offers`. */
function bytesOf (matches: readonly Match[], offers: ReadonlySet<string>): number {
  const added = new Set(matches.map(({ offer }) => offer).filter((offer) => !offers.has(offer)))
  return added.size * OFFER_BYTES + matches.reduce((sum, { devices }) => sum + JOB_BYTES + devicesSize(devices.length), 0)
}

function toWhole (market: Market, matches: Match[]): Whole {
  const welfare = matches.reduce((sum, { job, offer, devices }) => sum +
    welfareOf(market.jobs[market.jobIndex.get(job) as number] as JobRow, market.offers[market.offerIndex.get(offer) as number] as OfferRow, market.rules, devices), 0)
  return { matches, worth: welfare / bytesOf(matches, new Set()) }
}
