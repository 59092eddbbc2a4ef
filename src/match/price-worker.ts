import { parentPort } from 'node:worker_threads'
import type { Program } from './search/program.ts'
import { search, type Found, type WarmStart } from './search/search.ts'

/** A message to the worker: one search. */
export interface SearchRequest { readonly program: Program, readonly budgetMs: number, readonly seed: number, readonly warm?: WarmStart }
/** Answers: every better solution, then the last one again as `done`. */
export interface SearchAnswer { readonly found: Found, readonly done: boolean }

// Entry of a worker thread (src/match/price-engine.ts): the search does not look up while it runs.
parentPort?.on('message', ({ program, ...options }: SearchRequest) => {
  const say = (found: Found, done: boolean): void => {
    const answer: SearchAnswer = { found, done }
    parentPort?.postMessage(answer)
  }
  say(search(program, { ...options, now: () => performance.now(), report: (found) => { say(found, false) } }), true)
})
