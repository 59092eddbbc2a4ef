import { createSeededRandom } from '../src/core/random.ts'
import { kernelOf } from '../src/match/kernel/kernel.ts'
import { programOf } from '../src/match/search/program.ts'
import { search } from '../src/match/search/search.ts'
import { atMost, reported, type Bench, type Figure } from './figure.ts'
import { bookOf, cpuNow } from './match/book.ts'
import { makeRows } from './match/made-up.ts'
import { writeOutput, type Row } from './match/output.ts'

const SIZES = [[1000, 200], [8000, 1500], [80_000, 15_000]] as const
const EXPONENT = 0.8

/** Time until the first solution, classes included, by the size of a made-up book. */
export const benchGrowth: Bench = async ({ seed, out, progress }) => {
  const figures: Figure[] = []
  const rows: Row[] = []
  for (const [tasks, machines] of SIZES) {
    progress(`measuring ${tasks} x ${machines}`)
    const snapshot = bookOf(makeRows(createSeededRandom(seed), { tasks, machines }), seed)
    const started = cpuNow()
    const program = programOf(kernelOf(snapshot))
    // As much as it wants for prices, no search.
    const found = search(program, { budgetMs: 1e9, seed, now: cpuNow, report: () => undefined, maxRounds: 0, steps: 40 })
    const ms = cpuNow() - started
    const share = found.worth / found.bound
    rows.push({ tasks, machines, cpuMs: ms, share, columns: program.columnJob.length, rssMiB: process.memoryUsage().rss / 2 ** 20 })
    figures.push(reported(`${tasks} x ${machines}: first solution`, ms, 'ms', { name: 'share of its bound', value: share }), reported(`${tasks} x ${machines}: RSS of the process, the book's records included`, process.memoryUsage().rss / 2 ** 20, 'MiB'))
  }
  const [, middle, last] = rows.map((row) => row['cpuMs'] as number) as [number, number, number]
  figures.push(atMost('growth exponent, 8,000 to 80,000', Math.log10(last / middle), EXPONENT, ''))
  await writeOutput(out, 'growth', rows, { title: 'First solution', x: 'jobs', y: 'ms of CPU', lines: [{ name: 'price', points: rows.map((row) => [row['tasks'] as number, row['cpuMs'] as number]) }] })
  return figures
}
