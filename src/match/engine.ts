import type { Clock } from '../core/clock.ts'
import type { Snapshot, Solution } from './problem.ts'

/** What an engine may use up. */
export interface Budget {
  /** Unix ms on `clock`: the answer is due by then. */
  deadlineMs: number
  /** Everything random in an engine comes from it. */
  seed: number
  /** Aborting rejects with the signal's reason. */
  signal: AbortSignal
  clock: Clock
}

/** A way to solve. The answer is feasible on the snapshot given; nobody has to believe that, `verifySolution` tells. */
export interface Engine {
  readonly name: string
  solve: (snapshot: Snapshot, budget: Budget) => Promise<Solution>
}
