import { kernelOf } from '../../src/match/kernel/kernel.ts'
import type { Snapshot } from '../../src/match/problem.ts'
import { programOf } from '../../src/match/search/program.ts'
import { PLACE, search, type Found } from '../../src/match/search/search.ts'
import type { Warm } from '../../src/match/engine.ts'
import { warmStartOf } from '../../src/match/warm.ts'
import { percentile } from '../figure.ts'
import { cpuNow } from './book.ts'

const SHARE = 0.96
const BUDGET_MS = 1000
/** The clock steps by 4 ms, and a search that takes 200 meets whatever else the machine does: the best and the median of so many. */
const TRIES = 15

/**
 * Matches of the first solution of at least 0.96 of the bound that the search itself has proved, over the CPU time until then, classes included; 0 when there is
 * none. `make` gives an equal book that nothing is known of, `warm` what the last epoch ended with. The best of all tries, and the median of their rates.
 */
export function rateOf (make: () => Snapshot, seed: number, warm?: Warm): { perSecond: number, median: number, ms: number, matches: number, share: number } {
  let best = { perSecond: 0, ms: Number.NaN, matches: 0, share: 0 }
  const rates: number[] = []
  for (let turn = 0; turn < TRIES; turn++) {
    const snapshot = make()
    const started = cpuNow()
    let first: { ms: number, found: Found } | undefined
    const kernel = kernelOf(snapshot, warm?.snapshot)
    const program = programOf(kernel)
    const start = warm === undefined ? undefined : warmStartOf(kernel, program, warm)
    const report = (found: Found): void => { if (found.worth >= SHARE * found.bound) first ??= { ms: cpuNow() - started, found } }
    // Rounds end soon after; a book that needs the whole time has a poor rate anyhow.
    search(program, { budgetMs: BUDGET_MS, seed, now: cpuNow, report, steps: STEPS, maxRounds: ROUNDS, ...(start === undefined ? {} : { warm: start }) })
    if (first === undefined) {
      rates.push(0)
      continue
    }
    const matches = first.found.places.length / PLACE
    const perSecond = matches / first.ms * 1000
    rates.push(perSecond)
    if (perSecond > best.perSecond) best = { perSecond, ms: first.ms, matches, share: first.found.worth / first.found.bound }
  }
  return { ...best, median: percentile(rates, 0.5) }
}

/** The fewest steps for prices that engines take: the bound is a little higher, the solution there sooner. */
const STEPS = 30
const ROUNDS = 4096
