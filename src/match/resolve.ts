import { shortId } from '../wire/solution.ts'
import type { Hash } from '../wire/shapes.ts'
import { isShared } from './groups.ts'
import { marketOf, type Market } from './market.ts'
import type { Snapshot, Solution } from './problem.ts'

/** Whole ids by short id; an id that two rows share names neither. */
interface Names { readonly jobs: ReadonlyMap<Hash, Hash>, readonly offers: ReadonlyMap<Hash, Hash> }

const known = new WeakMap<Market, Names>()

/** A published solution with the whole ids of the snapshot. What the snapshot does not hold, or holds twice, keeps its short id: it is unknown. */
export function resolveSolution (snapshot: Snapshot, solution: Solution): Solution {
  const { jobs, offers } = namesOf(marketOf(snapshot))
  return { ...solution, matches: solution.matches.map(({ job, offer, devices }) => ({ job: jobs.get(job) ?? job, offer: offers.get(offer) ?? offer, devices })) }
}

/** The short ids that name one row of the market. */
export function namesOf (market: Market): Names {
  let names = known.get(market)
  if (names === undefined) {
    names = { jobs: byShortId(market.jobs), offers: byShortId(market.offers) }
    known.set(market, names)
  }
  return names
}

function byShortId (rows: ReadonlyArray<{ id: Hash }>): Map<Hash, Hash> {
  const names = new Map<Hash, Hash>()
  rows.forEach(({ id }, at) => { if (!isShared(rows, at)) names.set(shortId(id), id) })
  return names
}
