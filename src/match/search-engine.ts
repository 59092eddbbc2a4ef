import { extname } from 'node:path'
import type { Logger } from '../core/logger.ts'
import { matchesOf } from './assemble.ts'
import { certificateOf } from './certificate.ts'
import type { Engine } from './engine.ts'
import { kernelOf } from './kernel/kernel.ts'
import { placeNarrowed } from './narrowed.ts'
import type { Solution } from './problem.ts'
import { programOf } from './search/program.ts'
import { threadNow } from './search-messages.ts'
import type { Found } from './search/search.ts'
import { createSearchThread } from './search-thread.ts'
import { warmStartOf } from './warm.ts'

export interface SearchEngineOptions {
  readonly name: string
  readonly workerUrl: URL
  /** Ends a search after so many rounds, whatever the time. */
  readonly maxRounds?: number
}

/** A worker beside this file: `.ts` from source, `.js` when compiled. */
const workerUrl = (name: string): URL => new URL(`./${name}${extname(new URL(import.meta.url).pathname)}`, import.meta.url)

/**
 * For books of any size: prices of resources by entropic steps on the dual of the class relaxation, a first solution by those prices, then ruin and recreate
 * until the deadline, or until nothing is gained any more.
 */
export const PRICE_ENGINE: SearchEngineOptions = { name: 'price', workerUrl: workerUrl('price-worker') }
/** The class relaxation solved by HiGHS, rounded down and repaired by its dual prices. Books beyond its limit have prices of the other kind. */
export const HIGHS_ENGINE: SearchEngineOptions = { name: 'highs', workerUrl: workerUrl('highs-worker') }

/** Milliseconds kept back for turning the answer into matches: so many, and one for each so many jobs. */
const RESERVE_MS = 10
const JOBS_A_MS = 400
/** What a message from the worker may take; then its best so far is the answer. */
const MESSAGE_MS = 10

/** An engine whose worker thread computes on the snapshot's classes. When the worker fails, it answers with what that found before. */
export function createSearchEngine (components: { logger: Logger }, options: SearchEngineOptions): Engine {
  const { name, maxRounds } = options
  const thread = createSearchThread(components, options)
  return {
    name,
    solve: async (snapshot, budget) => {
      const { signal, clock, deadlineMs, seed, warm, onImproved, onPrices } = budget
      signal.throwIfAborted()
      const kernel = kernelOf(snapshot, warm?.snapshot)
      const program = programOf(kernel)
      const toSolution = (places: Int32Array): Solution => ({ epoch: snapshot.epoch, engine: name, matches: placeNarrowed(kernel, matchesOf(kernel, places)) })
      const due = deadlineMs - RESERVE_MS - snapshot.jobs.length / JOBS_A_MS
      const start = warm === undefined ? undefined : warmStartOf(kernel, program, warm)
      const onFound = (found: Found): void => { onImproved?.(toSolution(found.places)) }
      const request = { program, sentMs: threadNow(), budgetMs: Math.max(0, due - clock.now()), seed, ...(start === undefined ? {} : { warm: start }), ...(maxRounds === undefined ? {} : { maxRounds }) }
      const found = await thread.run(request, { signal, clock, deadlineMs: Math.max(due, clock.now()) + MESSAGE_MS }, onFound)
      signal.throwIfAborted()
      if (found !== undefined) onPrices?.(certificateOf(kernel, found.prices))
      return toSolution(found?.places ?? new Int32Array())
    }
  }
}
