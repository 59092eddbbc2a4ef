import type { Program } from './search/program.ts'
import type { Found, WarmStart } from './search/search.ts'

/** A message to a worker that searches: one search. */
export interface SearchRequest { readonly program: Program, readonly budgetMs: number, readonly seed: number, readonly warm?: WarmStart, readonly maxRounds?: number }
/** Its answers: every better solution, then the last one again as `done`. */
export interface SearchAnswer { readonly found: Found, readonly done: boolean }
