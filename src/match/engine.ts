import type { Clock } from '../core/clock.ts'
import type { Certificate } from './certificate.ts'
import type { Match, Snapshot, Solution } from './problem.ts'

/** Where an engine may begin: what the last epoch ended with. What no longer fits is ignored. */
export interface Warm {
  readonly matches: readonly Match[]
  readonly certificate?: Certificate
  /** The snapshot that was matched: what its jobs asked for that are gone now, others may ask for too. */
  readonly snapshot?: Snapshot
}

/** What an engine may use up. */
export interface Budget {
  /** Unix ms on `clock`: the answer is due by then. */
  deadlineMs: number
  /** Everything random in an engine comes from it. */
  seed: number
  /** Aborting rejects with the signal's reason. */
  signal: AbortSignal
  clock: Clock
  warm?: Warm
  /** Called with solutions on the way, each better than the one before by the engine's own count. */
  onImproved?: (solution: Solution) => void
  /** Called before the answer by engines that find prices: what they prove about any solution (`verifyBound`). */
  onPrices?: (certificate: Certificate) => void
}

/** A way to solve. The answer is feasible on the snapshot given; nobody has to believe that, `verifySolution` tells. */
export interface Engine {
  readonly name: string
  solve: (snapshot: Snapshot, budget: Budget) => Promise<Solution>
}
