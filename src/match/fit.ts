import { encodeSolution, MAX_SOLUTION_BYTES } from '../wire/auction.ts'
import { marketOf } from './market.ts'
import { welfareOf } from './price.ts'
import type { JobRow, Match, OfferRow, Snapshot, Solution } from './problem.ts'

/** Bytes of an encoded solution besides its groups, and of a group besides its jobs: CBOR heads at their largest. */
const HEAD_BYTES = 64
const OFFER_BYTES = 32 + 2 + 1 + 3
const JOB_BYTES = 32

/** The solution, or its matches of most welfare that fit into one reveal. Any part of a feasible solution is feasible. */
export function fitSolution (snapshot: Snapshot, solution: Solution, maxBytes = MAX_SOLUTION_BYTES): Solution {
  if (solution.matches.length * (OFFER_BYTES + JOB_BYTES) + HEAD_BYTES <= maxBytes) return solution
  const market = marketOf(snapshot)
  const welfare = ({ job, offer }: Match): number => {
    const jobAt = market.jobIndex.get(job)
    const offerAt = market.offerIndex.get(offer)
    return jobAt === undefined || offerAt === undefined ? 0 : welfareOf((market.jobs[jobAt] as JobRow).offer, (market.offers[offerAt] as OfferRow).offer, market.rules)
  }
  const ranked = solution.matches.map((match) => ({ match, welfare: welfare(match) })).sort((left, right) => right.welfare - left.welfare)
  const offers = new Set<string>()
  const matches: Match[] = []
  let bytes = HEAD_BYTES
  for (const { match } of ranked) {
    const more = JOB_BYTES + (offers.has(match.offer) ? 0 : OFFER_BYTES)
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
