import { createSeededRandom } from '../src/core/random.ts'
import { kernelOf } from '../src/match/kernel/kernel.ts'
import { programOf } from '../src/match/search/program.ts'
import { search, type Found } from '../src/match/search/search.ts'
import { atMost, reported, type Bench, type Figure } from './figure.ts'
import { bookOf, cpuNow } from './match/book.ts'
import { makeRows } from './match/made-up.ts'
import { writeOutput, type Row } from './match/output.ts'

const LARGEST = 80_000
const SIZES = [[1000, 200], [8000, 1500], [LARGEST, 15_000]] as const
const EXPONENT = 0.8
/** What is asked of the largest: share of its bound, ms of CPU until then, growth of the process beyond its records. */
const SHARE = 0.96
const LARGEST_MS = 4000
const LARGEST_MIB = 300

/** Time until the first solution, classes included, by the size of a made-up book. */
export const benchGrowth: Bench = async ({ seed, out, progress }) => {
  const figures: Figure[] = []
  const rows: Row[] = []
  for (const [tasks, machines] of SIZES) {
    progress(`measuring ${tasks} x ${machines}`)
    const snapshot = bookOf(makeRows(createSeededRandom(seed), { tasks, machines }), seed)
    const before = process.memoryUsage().rss
    const started = cpuNow()
    const program = programOf(kernelOf(snapshot))
    let first: { ms: number, share: number } | undefined
    let reached: number | undefined
    const report = ({ worth, bound }: Found): void => {
      first ??= { ms: cpuNow() - started, share: worth / bound }
      if (worth >= SHARE * bound) reached ??= cpuNow() - started
    }
    const found = search(program, { budgetMs: LARGEST_MS - (cpuNow() - started), seed, now: cpuNow, report, steps: 40 })
    const share = found.worth / found.bound
    const grownMiB = (process.memoryUsage().rss - before) / 2 ** 20
    rows.push({ tasks, machines, cpuMs: first?.ms ?? Number.NaN, reachedMs: reached ?? Number.NaN, share, columns: program.columnRun.length, grownMiB, rssMiB: process.memoryUsage().rss / 2 ** 20 })
    const name = `${tasks} x ${machines}`
    figures.push(
      reported(`${name}: first solution`, first?.ms ?? Number.NaN, 'ms', { name: 'share of its bound', value: first?.share ?? 0 }), reported(`${name}: until ${SHARE} of its bound`, reached ?? Number.NaN, 'ms'),
      { name: `${name}: share of its bound after ${LARGEST_MS} ms of CPU`, value: Math.round(share * 10_000) / 10_000, unit: '', ok: tasks < LARGEST || share >= SHARE, ...(tasks < LARGEST ? {} : { goal: `>= ${SHARE}` }) },
      tasks === LARGEST ? atMost(`${name}: RSS growth beyond the records`, grownMiB, LARGEST_MIB, 'MiB') : reported(`${name}: RSS growth beyond the records`, grownMiB, 'MiB'),
      reported(`${name}: RSS of the process, the records of all books included`, process.memoryUsage().rss / 2 ** 20, 'MiB')
    )
  }
  const [, middle, last] = rows.map((row) => row['cpuMs'] as number) as [number, number, number]
  figures.push(atMost('growth exponent, 8,000 to 80,000', Math.log10(last / middle), EXPONENT, ''))
  await writeOutput(out, 'growth', rows, { title: 'First solution', x: 'jobs', y: 'ms of CPU', lines: [{ name: 'price', points: rows.map((row) => [row['tasks'] as number, row['cpuMs'] as number]) }] })
  return figures
}
