import { kernelOf } from '../../src/match/kernel/kernel.ts'
import { roundedOptimum } from '../../src/match/highs/round.ts'
import { programOf } from '../../src/match/search/program.ts'
import { search } from '../../src/match/search/search.ts'
import { bookOf, cpuNow } from './book.ts'
import type { Rows } from './rows.ts'

const SECONDS = 120
const OURS_MS = 1500

/** HiGHS on the relaxation over classes, rounded and filled up, at the largest part of the rows that it solves within 120 s; ours on the same. Shares of the lower of both bounds. */
export async function exactness (source: Rows, seed: number, progress: (text: string) => void): Promise<{ size: string, ours: number, theirs: number, seconds: number }> {
  for (let part = 1; part <= 64; part *= 2) {
    const some = <T>(list: readonly T[]): T[] => list.filter((_, at) => at % part === 0)
    const rows = { ...source, tasks: some(source.tasks), machines: some(source.machines) }
    const size = `${rows.tasks.length} x ${rows.machines.length}`
    progress(`HiGHS on ${size}`)
    const program = programOf(kernelOf(bookOf(rows, seed)))
    const started = cpuNow()
    const exact = await roundedOptimum(program, SECONDS)
    const seconds = (cpuNow() - started) / 1000
    if (exact === undefined) continue
    const found = search(program, { budgetMs: OURS_MS, seed, now: cpuNow, report: () => undefined })
    const bound = Math.min(exact.bound, found.bound)
    return { size, ours: found.worth / bound, theirs: exact.worth / bound, seconds }
  }
  throw new Error('HiGHS solves no part of the rows')
}
