import type { Logger } from '../core/logger.ts'
import { matchesOf } from './assemble.ts'
import type { Engine } from './engine.ts'
import { certificateOf } from './certificate.ts'
import { kernelOf } from './kernel/kernel.ts'
import { programOf } from './search/program.ts'
import type { Found } from './search/search.ts'
import { createSearchThread, PRICE_WORKER_URL } from './search-thread.ts'
import { placeNarrowed } from './narrowed.ts'
import type { Solution } from './problem.ts'
import { warmStartOf } from './warm.ts'

export interface PriceOptions {
  workerUrl: URL
  /** Ends a search after so many rounds of 32, whatever the time. */
  maxRounds?: number
}

/** Milliseconds kept back for turning the answer into matches: so many, and one for each so many jobs. */
const RESERVE_MS = 10
const JOBS_A_MS = 400
/** How long after its time the worker may answer before it is terminated. */
const PATIENCE_MS = 100

/**
 * The engine for large books: prices of resources by entropic steps on the dual of the class relaxation, a first solution by those prices, then ruin and
 * recreate, in a worker thread until the deadline. Answers earlier with what it has when its worker fails. Jobs that listed providers may serve come last.
 */
export function createPriceEngine (components: { logger: Logger }, options: PriceOptions = { workerUrl: PRICE_WORKER_URL }): Engine {
  const thread = createSearchThread(components, options)
  return {
    name: 'price',
    solve: async (snapshot, budget) => {
      const { signal, clock, deadlineMs, seed, warm, onImproved, onPrices } = budget
      signal.throwIfAborted()
      const kernel = kernelOf(snapshot)
      const program = programOf(kernel)
      const toSolution = (found: Found): Solution => ({ epoch: snapshot.epoch, engine: 'price', matches: placeNarrowed(kernel, matchesOf(kernel, found.places)) })
      const due = deadlineMs - RESERVE_MS - snapshot.jobs.length / JOBS_A_MS
      const start = warm === undefined ? undefined : warmStartOf(kernel, program, warm)
      const found = await thread.run(
        { program, budgetMs: Math.max(0, due - clock.now()), seed, ...(start === undefined ? {} : { warm: start }), ...(options.maxRounds === undefined ? {} : { maxRounds: options.maxRounds }) },
        { signal, clock, deadlineMs: Math.max(due, clock.now()) + PATIENCE_MS },
        (better) => { onImproved?.(toSolution(better)) }
      )
      signal.throwIfAborted()
      if (found === undefined) return { epoch: snapshot.epoch, engine: 'price', matches: placeNarrowed(kernel, []) }
      onPrices?.(certificateOf(kernel, found.prices))
      return toSolution(found)
    }
  }
}
