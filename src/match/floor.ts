import { setImmediate } from 'node:timers/promises'
import type { Engine } from './engine.ts'
import { marketOf, type Market } from './market.ts'
import { createPacking, packBundle, packGreedily, type Packing } from './packing.ts'
import { bundlesByBid, gatherPairs, pairsOf, type Pairs } from './pairs.ts'
import type { Snapshot, Solution } from './problem.ts'

/**
 * protocol/matching.md, Floor. Bundles by falling bid, each job to the offer of most welfare where it still fits, best fit among equals. The yardstick: only
 * comparisons, + - * / on doubles, no randomness and no time, so every machine gets the same from the same snapshot.
 */
export function solveFloor (snapshot: Snapshot): Solution {
  const market = marketOf(snapshot)
  return { epoch: snapshot.epoch, engine: 'floor', matches: packFloor(market, pairsOf(market)).matches() }
}

/** The same as a packing, for engines that start from it. */
export function packFloor (market: Market, pairs: Pairs): Packing {
  const packing = createPacking(market, pairs)
  packGreedily(packing, pairs, bundlesByBid(pairs))
  return packing
}

/** Pairs that are tried in one turn of the event loop: some 5 ms. */
const PAIRS_A_TURN = 50_000
/** Of its time it looks for pairs in at most this share; placing them takes a tenth of that. */
const GATHER_SHARE = 0.75

/** The floor behind the engines' interface, O(jobs * offers): lets others have their turns meanwhile, and past the deadline answers with what it has, the highest bids first. */
export const floorEngine: Engine = {
  name: 'floor',
  solve: async (snapshot, { signal, clock, deadlineMs }) => {
    signal.throwIfAborted()
    let tried = 0
    const pause = async (more: number): Promise<void> => {
      tried += more
      if (tried < PAIRS_A_TURN) return
      tried = 0
      await setImmediate()
      signal.throwIfAborted()
    }
    const market = marketOf(snapshot)
    const gathering = gatherPairs(market)
    const gatherUntil = clock.now() + (deadlineMs - clock.now()) * GATHER_SHARE
    while (clock.now() <= gatherUntil && gathering.next()) await pause(market.offers.length)
    const pairs = gathering.pairs()
    const packing = createPacking(market, pairs)
    for (const bundle of bundlesByBid(pairs)) {
      if (clock.now() > deadlineMs) break
      packBundle(packing, pairs, bundle)
      for (const seat of pairs.seats.bundles[bundle] as readonly number[]) await pause((pairs.jobStart[(pairs.seats.job[seat] as number) + 1] as number) - (pairs.jobStart[pairs.seats.job[seat] as number] as number))
    }
    return { epoch: snapshot.epoch, engine: 'floor', matches: packing.matches() }
  }
}
