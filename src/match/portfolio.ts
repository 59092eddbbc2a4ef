import { errorMessage } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { Engine } from './engine.ts'
import type { Solution } from './problem.ts'
import { verifySolution } from './verify.ts'

/**
 * Runs engines side by side and answers with the best verified solution; of equals the first engine's. Those that block are best in worker threads. One that fails
 * is logged and left out; when all do, the first one's error is thrown.
 */
export function createPortfolio (components: { logger: Logger }, engines: readonly Engine[]): Engine {
  return {
    name: 'portfolio',
    solve: async (snapshot, budget) => {
      const { onImproved, signal } = budget
      let best: { solution: Solution, score: number } | undefined
      const consider = (solution: Solution): void => {
        const { ok, score } = verifySolution(snapshot, solution)
        if (!ok || (best !== undefined && score <= best.score)) return
        best = { solution, score }
        onImproved?.(solution)
      }
      const { onImproved: _, ...shared } = budget
      const runs = await Promise.allSettled(engines.map(async (engine) => await engine.solve(snapshot, onImproved === undefined ? shared : { ...shared, onImproved: consider })))
      signal.throwIfAborted()
      for (const [at, run] of runs.entries()) {
        if (run.status === 'fulfilled') consider(run.value)
        else components.logger.warn('engine-failed', { engine: engines[at]?.name, error: errorMessage(run.reason) })
      }
      if (best !== undefined) return best.solution
      throw runs.find((run) => run.status === 'rejected')?.reason ?? new Error('a portfolio without engines')
    }
  }
}
