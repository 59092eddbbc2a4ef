import type { Market } from './market.ts'
import { bestPair, type Packing } from './packing.ts'
import type { Pairs } from './pairs.ts'

/** Passes over all jobs; books of 100 x 20 settle in two or three. */
const MAX_PASSES = 8
/** Jobs put out at once to let another in: with two, a large job can take the place of two small ones. */
const MAX_EJECTED = 2

/**
 * Local search, strictly upwards: placed jobs move to pairs of more welfare, jobs left out push in where what they put out finds another place or
 * is worth less. Ends when a pass gains nothing or `isDue` says so; the packing stays feasible throughout.
 */
export function improve (market: Market, pairs: Pairs, packing: Packing, order: Iterable<number>, isDue: () => boolean): void {
  const jobs = [...order]
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    let gained = false
    for (const job of jobs) {
      if (isDue()) return
      const better = (packing.placed[job] as number) >= 0 ? relocate(pairs, packing, job) : insert(market, pairs, packing, job)
      gained ||= better
    }
    if (!gained) return
  }
}

function relocate (pairs: Pairs, packing: Packing, job: number): boolean {
  const current = packing.remove(job)
  const best = bestPair(packing, pairs, job)
  const better = best >= 0 && (pairs.welfare[best] as number) > (pairs.welfare[current] as number)
  packing.place(better ? best : current)
  return better
}

function insert (market: Market, pairs: Pairs, packing: Packing, job: number): boolean {
  const free = bestPair(packing, pairs, job)
  if (free >= 0) {
    packing.place(free)
    return true
  }
  for (let pair = pairs.jobStart[job] as number; pair < (pairs.jobStart[job + 1] as number); pair++) {
    const members = [...packing.on(market.unitOf[pairs.offer[pair] as number] as number)]
    if (pushIn(pairs, packing, pair, members, [])) return true
  }
  return false
}

/** Tries to place `pair` after putting out `ejected` and at most MAX_EJECTED - ejected.length of `members`. Leaves the packing as it was when there is no gain. */
function pushIn (pairs: Pairs, packing: Packing, pair: number, members: readonly number[], ejected: readonly number[]): boolean {
  for (const [at, member] of members.entries()) {
    const old = packing.remove(member)
    const out = [...ejected, old]
    if (packing.fits(pair) ? settle(pairs, packing, pair, out) : out.length < MAX_EJECTED && pushIn(pairs, packing, pair, members.slice(at + 1), out)) return true
    packing.place(old)
  }
  return false
}

/** Places the pair, then the ejected jobs where they fit now; undoes both unless the sum rises. */
function settle (pairs: Pairs, packing: Packing, pair: number, ejected: readonly number[]): boolean {
  const before = packing.welfare() + ejected.reduce((sum, old) => sum + (pairs.welfare[old] as number), 0)
  packing.place(pair)
  const moved: number[] = []
  for (const old of ejected) {
    const job = pairs.job[old] as number
    const other = bestPair(packing, pairs, job)
    if (other < 0) continue
    packing.place(other)
    moved.push(job)
  }
  if (packing.welfare() > before) return true
  for (const job of moved) packing.remove(job)
  packing.remove(pairs.job[pair] as number)
  return false
}
