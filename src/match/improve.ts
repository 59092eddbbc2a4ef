import type { Market } from './market.ts'
import { bestPair, packBundle, type Packing, type Placed } from './packing.ts'
import type { Pairs } from './pairs.ts'

/** Passes over all bundles; books of 100 x 20 settle in two or three. */
const MAX_PASSES = 8
/** Jobs put out at once to let another in: with two, a large job can take the place of two small ones. */
const MAX_EJECTED = 2

/**
 * Local search, strictly upwards: placed seats move to pairs of more welfare, jobs left out push in where what they put out finds another place or
 * is worth less. Bundles of several seats come in whole where there is room and are not put out. Ends when a pass gains nothing or `isDue` says so; the packing
 * stays feasible throughout. `order` is bundles.
 */
export function improve (market: Market, pairs: Pairs, packing: Packing, order: Iterable<number>, isDue: () => boolean): void {
  const bundles = [...order]
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    let gained = false
    for (const bundle of bundles) {
      if (isDue()) return
      const seats = pairs.seats.bundles[bundle] as readonly number[]
      if ((packing.placed[seats[0] as number] as number) >= 0) for (const seat of seats) gained = relocate(pairs, packing, seat) || gained
      else gained = (packBundle(packing, pairs, bundle) || (seats.length === 1 && insert(market, pairs, packing, seats[0] as number))) || gained
    }
    if (!gained) return
  }
}

function relocate (pairs: Pairs, packing: Packing, seat: number): boolean {
  const current = packing.remove(seat)
  const best = bestPair(packing, pairs, seat)
  const better = best >= 0 && (pairs.welfare[best] as number) > (pairs.welfare[current.pair] as number)
  if (better) packing.place(best)
  else packing.putBack(current)
  return better
}

/** For a job that stands alone, has one seat and fits nowhere as it is; what it puts out is of the same sort. */
function insert (market: Market, pairs: Pairs, packing: Packing, job: number): boolean {
  for (let pair = pairs.jobStart[job] as number; pair < (pairs.jobStart[job + 1] as number); pair++) {
    const members = [...packing.on(market.unitOf[pairs.offer[pair] as number] as number)].filter((member) => isAlone(pairs, member))
    if (pushIn(pairs, packing, pair, members, [])) return true
  }
  return false
}

function isAlone ({ seats }: Pairs, seat: number): boolean {
  return seats.bundles[seats.bundle[seat] as number]?.length === 1
}

/** Tries to place `pair` after putting out `ejected` and at most MAX_EJECTED - ejected.length of `members`. Leaves the packing as it was when there is no gain. */
function pushIn (pairs: Pairs, packing: Packing, pair: number, members: readonly number[], ejected: readonly Placed[]): boolean {
  for (const [at, member] of members.entries()) {
    const old = packing.remove(member)
    const out = [...ejected, old]
    if (packing.fits(pair) ? settle(pairs, packing, pair, out) : out.length < MAX_EJECTED && pushIn(pairs, packing, pair, members.slice(at + 1), out)) return true
    packing.putBack(old)
  }
  return false
}

/** Places the pair, then the ejected jobs where they fit now; undoes both unless the sum rises. */
function settle (pairs: Pairs, packing: Packing, pair: number, ejected: readonly Placed[]): boolean {
  const before = packing.welfare() + ejected.reduce((sum, old) => sum + (pairs.welfare[old.pair] as number), 0)
  packing.place(pair)
  const moved: number[] = []
  for (const old of ejected) {
    const job = pairs.job[old.pair] as number
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
