import type { Engine } from './engine.ts'
import { marketOf, type Market } from './market.ts'
import { createPacking, packGreedily, type Packing } from './packing.ts'
import { bundlesByBid, pairsOf, type Pairs } from './pairs.ts'
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

/** The floor behind the engines' interface. Takes the time it takes: O(jobs * offers), 3 s at 8,000 x 1,500. */
export const floorEngine: Engine = {
  name: 'floor',
  solve: async (snapshot, { signal }) => {
    signal.throwIfAborted()
    return solveFloor(snapshot)
  }
}
