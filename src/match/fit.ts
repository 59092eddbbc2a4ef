import { devicesSize } from '../wire/devices.ts'
import { encodeSolution, JOB_BYTES, MAX_SOLUTION_BYTES, OFFER_BYTES, shortId, SOLUTION_HEAD_BYTES } from '../wire/solution.ts'
import { marketOf } from './market.ts'
import { welfareOf } from './price.ts'
import type { JobRow, Match, OfferRow, Snapshot, Solution } from './problem.ts'
import { namesOf } from './resolve.ts'

/**
 * The solution, or its matches of most welfare that fit into one reveal. Matches whose short ids name nothing or two rows are left out: they would count
 * nothing. Any part of a feasible solution is feasible.
 */
export function fitSolution (snapshot: Snapshot, solution: Solution, maxBytes = MAX_SOLUTION_BYTES): Solution {
  const market = marketOf(snapshot)
  const names = namesOf(market)
  const named = solution.matches.filter(({ job, offer }) => names.jobs.get(shortId(job)) === job && names.offers.get(shortId(offer)) === offer)
  const worst = SOLUTION_HEAD_BYTES + named.reduce((sum, { devices }) => sum + OFFER_BYTES + JOB_BYTES + devicesSize(devices.length), 0)
  if (worst <= maxBytes) return named.length === solution.matches.length ? solution : { ...solution, matches: named }

  const welfare = ({ job, offer }: Match): number =>
    welfareOf((market.jobs[market.jobIndex.get(job) as number] as JobRow).offer, (market.offers[market.offerIndex.get(offer) as number] as OfferRow).offer, market.rules)
  const ranked = named.map((match) => ({ match, welfare: welfare(match) })).sort((left, right) => right.welfare - left.welfare)
  const offers = new Set<string>()
  const matches: Match[] = []
  let bytes = SOLUTION_HEAD_BYTES
  for (const { match } of ranked) {
    const more = JOB_BYTES + devicesSize(match.devices.length) + (offers.has(match.offer) ? 0 : OFFER_BYTES)
    if (bytes + more > maxBytes) continue
    bytes += more
    offers.add(match.offer)
    matches.push(match)
  }
  return { ...solution, matches }
}

/** The solution's canonical bytes for a reveal; what does not fit is left out. */
export function solutionToBytes (snapshot: Snapshot, solution: Solution): Uint8Array {
  return encodeSolution(fitSolution(snapshot, solution))
}
