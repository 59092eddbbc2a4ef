import type { Program } from './search/program.ts'
import type { Found, WarmStart } from './search/search.ts'

/** A message to a worker that searches: one search. `sentMs`: unix ms; what has passed until the worker looks is taken off its budget. */
export interface SearchRequest { readonly sentMs: number, readonly program: Program, readonly budgetMs: number, readonly seed: number, readonly warm?: WarmStart, readonly maxRounds?: number }
/** Its answers: every better solution, then the last one again as `done`. */
export interface SearchAnswer { readonly found: Found, readonly done: boolean }

/** Unix ms as every thread of the process has them. */
export function threadNow (): number {
  return performance.timeOrigin + performance.now()
}

/** What is left of the budget: on a busy machine a worker may come to its message late. */
export function budgetLeft ({ sentMs, budgetMs }: Pick<SearchRequest, 'sentMs' | 'budgetMs'>): number {
  return Math.max(0, budgetMs - Math.max(0, threadNow() - sentMs))
}
