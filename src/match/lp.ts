import type { Logger } from '../core/logger.ts'
import { createSeededRandom } from '../core/random.ts'
import type { Budget, Engine } from './engine.ts'
import { packFloor, solveFloor } from './floor.ts'
import { improve } from './improve.ts'
import { buildLpModel } from './lp-model.ts'
import { LP_WORKER_URL, startLpThread, type LpThread } from './lp-thread.ts'
import { chooseWindow, type WindowLimits } from './lp-window.ts'
import { marketOf } from './market.ts'
import { packGreedily, type Packing } from './packing.ts'
import { bundlesByBid, pairsOf, type Pairs } from './pairs.ts'
import type { Solution } from './problem.ts'
import { verifySolution } from './verify.ts'

/** Limits of the LP engine. */
export interface LpOptions extends WindowLimits {
  /** Programs solved one after the other on a market beyond the limits, as long as time is left. */
  maxWindows: number
  workerUrl: URL
}

export const DEFAULT_LP_OPTIONS: LpOptions = {
  // What javascript-lp-solver 1.0.3 solves in 0.1 to 0.3 s (measured); at twice that it takes 12 s.
  maxJobs: 100,
  maxUnits: 20,
  maxPairs: 800,
  // At 0.1 s each: two full epochs of a devnet.
  maxWindows: 40,
  workerUrl: LP_WORKER_URL
}

/**
 * LP relaxation by javascript-lp-solver in a worker thread, rounded by its values, repaired greedily and searched locally. Starts from the floor and keeps
 * the better, so it is never below it; verified in integers before it is returned. Past the deadline it answers with what it has.
 */
export function createLpEngine (components: { logger: Logger }, options: LpOptions = DEFAULT_LP_OPTIONS): Engine {
  return {
    name: 'lp',
    solve: async (snapshot, budget) => {
      const { signal, clock, deadlineMs } = budget
      signal.throwIfAborted()
      const market = marketOf(snapshot)
      const pairs = pairsOf(market)
      const order = bundlesByBid(pairs)
      const packing = packFloor(market, pairs)
      const isDue = (): boolean => signal.aborted || clock.now() >= deadlineMs
      improve(market, pairs, packing, order, isDue)

      const thread = startLpThread(components, options)
      try {
        const random = createSeededRandom(budget.seed)
        for (let round = 0; round < options.maxWindows && !isDue(); round++) {
          const before = packing.all()
          const welfare = packing.welfare()
          const window = chooseWindow(market, pairs, packing, order, random, options)
          for (const seat of window.seats) if ((packing.placed[seat] as number) >= 0) packing.remove(seat)
          const isSolved = await roundLp(thread, buildLpModel(market, pairs, packing, window.columns), packing, pairs, budget)
          if (isSolved) {
            packGreedily(packing, pairs, order)
            improve(market, pairs, packing, order, isDue)
          }
          if (packing.welfare() <= welfare) packing.reset(before)
          if (window.whole || !isSolved) break
        }
      } finally {
        await thread.stop()
      }
      signal.throwIfAborted()
      const solution: Solution = { epoch: snapshot.epoch, engine: 'lp', matches: packing.matches() }
      const floor = solveFloor(snapshot)
      return verifySolution(snapshot, solution).score >= verifySolution(snapshot, floor).score ? solution : { ...floor, engine: 'lp' }
    }
  }
}

/** Places the program's pairs by falling value as far as they fit. False when there was no answer in time. */
async function roundLp (thread: LpThread, model: ReturnType<typeof buildLpModel>, packing: Packing, pairs: Pairs, budget: Budget): Promise<boolean> {
  const values = await thread.solve(model, budget)
  if (values === undefined) return false
  const ranked = values.map(([name, value]) => ({ pair: Number(name), value }))
    .sort((left, right) => right.value - left.value || (pairs.welfare[right.pair] as number) - (pairs.welfare[left.pair] as number) || left.pair - right.pair)
  for (const { pair } of ranked) if (packing.fits(pair)) packing.place(pair)
  return true
}
