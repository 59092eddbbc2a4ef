import { boundAt } from '../src/match/bound.ts'
import { certificateOf, pricesOf, type Certificate } from '../src/match/certificate.ts'
import { matchesOf } from '../src/match/assemble.ts'
import { kernelOf, type Kernel } from '../src/match/kernel/kernel.ts'
import type { JobRow, Snapshot } from '../src/match/problem.ts'
import { programOf, type Program } from '../src/match/search/program.ts'
import { search, type Found } from '../src/match/search/search.ts'
import { verifySolution } from '../src/match/verify.ts'
import { atLeast, reported, type Bench, type Figure } from './figure.ts'
import { bookOf, cpuNow, likeGpuspec33, rowsToMeasure } from './match/book.ts'
import { inOrderOfComing } from './match/coming.ts'
import { lilypad, packing } from './match/greedy.ts'
import { exactness } from './match/highs.ts'
import { writeOutput, type Row } from './match/output.ts'
import { rateOf } from './match/rate.ts'

/** Milliseconds of CPU, classes and columns included, and the share of the certified bound that is asked for. */
const GOALS = [[600, 0.96], [1500, 0.98], [5000, 0.985]] as const
/** Matches per second of CPU that are asked for. */
const COLD_RATE = 15_000
const WARM_RATE = 50_000
/** Of the jobs of a warm book, one in so many is new. */
const CHURN = 10

/** Quality over time on a book of 8,152 jobs and 1,523 machines, beside Lilypad's rule and plain greedies, all as shares of one certified bound. */
export const benchMatch: Bench = async ({ seed, quick, trace, out, progress }) => {
  const figures: Figure[] = []
  const rows: Row[] = []
  const lines: Array<{ name: string, points: Array<[number, number]> }> = []
  for (const source of [...await rowsToMeasure(trace, seed), ...(trace === undefined ? [] : [await likeGpuspec33(trace)])]) {
    progress(`measuring ${source.name}`)
    if (figures.length === 0) {
      const { score, bound } = solved(bookOf(source, seed), GOALS[0][0], seed)
      figures.push(share(`${source.name}: the same in the first search of a process, code being compiled`, score / bound))
    }
    const snapshots = GOALS.map(() => bookOf(source, seed))
    const found = GOALS.map(([ms], at) => solved(snapshots[at] as Snapshot, ms, seed))
    const last = found[found.length - 1] as Solved
    const bounds = found.map(({ bound }) => bound)
    const best = Math.min(...bounds)
    const coming = inOrderOfComing(last.kernel, source)
    const baselines = {
      'Lilypad, a machine is one offer': lilypad(last.program, coming, false), 'Lilypad, cut into 1-GPU offers': lilypad(last.program, coming, true),
      'packing greedy by bid': packing(last.program, 'bid'), 'packing greedy by density': packing(last.program, 'density')
    }
    const greedy = Math.max(baselines['packing greedy by bid'].worth, baselines['packing greedy by density'].worth) / best
    GOALS.forEach(([ms, goal], at) => {
      // Each against the bound that it proved itself in that time.
      const { score, bound, matches } = found[at] as Solved
      const value = score / bound
      figures.push({ ...atLeast(`${source.name}: ${ms} ms of CPU, share of its own bound`, value, goal, '', { name: 'best greedy, of the tightest bound', value: greedy }), value: Math.round(value * 10_000) / 10_000, ok: value >= goal })
      rows.push({ book: source.name, rule: 'price', cpuMs: ms, score, bound, share: value, matches })
    })
    lines.push({ name: source.name, points: GOALS.map(([ms], at) => [ms, (found[at] as Solved).score / best]) })
    for (const [name, { worth, matches }] of Object.entries(baselines)) {
      figures.push({ ...reported(`${source.name}: welfare over ${name}`, last.score / worth, 'x', { name: `at most ${Math.round(100 * best / worth) / 100} x; share of the bound`, value: worth / best }) })
      rows.push({ book: source.name, rule: name, score: worth, bound: best, share: worth / best, matches })
    }

    const next = snapshots[snapshots.length - 1] as (typeof snapshots)[number]
    const other = bookOf(source, seed + 1)
    // Each time anew: nobody has read what is new. They trust whom the others trust, so that offers serve them.
    const warmBook = (): Snapshot => ({ ...next, jobs: next.jobs.map((row, at) => at % CHURN === 0 ? newJob(other.jobs[(at + 1) % other.jobs.length] ?? row, next.jobs[at + 2] ?? row) : row) })
    const warm = { snapshot: next, matches: matchesOf(last.kernel, last.result.places), certificate: last.certificate }
    for (const { name, goal, make, from } of [
      { name: 'cold', goal: COLD_RATE, make: () => bookOf(source, seed), from: undefined },
      { name: 'warm, a tenth of the jobs new', goal: WARM_RATE, make: warmBook, from: warm }
    ]) {
      const { perSecond, median, ms, matches, share: reached } = rateOf(make, seed, from)
      figures.push({ ...atLeast(`${source.name}: matches per second of CPU at >= 0.96, ${name}`, perSecond, goal, '/s') }, reported(`${source.name}: the same, median of all tries`, median, '/s'), reported(`${source.name}: milliseconds until then`, ms, 'ms'), share(`${source.name}: share of its bound then`, reached))
      rows.push({ book: source.name, rule: `price, ${name}`, cpuMs: ms, share: reached, matches })
    }
    if (!quick && source.name === (trace === undefined ? 'made-up' : 'default')) {
      const { size, ours, theirs, seconds } = await exactness(source, seed, progress)
      figures.push(share(`${source.name}: HiGHS on the classes, rounded, ${size}`, theirs), reported(`${source.name}: its time`, seconds, 's'), share(`${source.name}: 1,500 ms of ours on the same`, ours))
      rows.push({ book: `${source.name} ${size}`, rule: 'HiGHS', cpuMs: seconds * 1000, share: theirs }, { book: `${source.name} ${size}`, rule: 'price', cpuMs: 1500, share: ours })
    }
  }
  await writeOutput(out, 'match', rows, { title: 'Share of the tightest certified bound over CPU time', x: 'ms of CPU', y: 'share', lines })
  return figures
}

/** What the price engine finds in so many ms of CPU, and what it counts and proves by the exact rules. */
interface Solved { readonly kernel: Kernel, readonly program: Program, readonly result: Found, readonly certificate: Certificate, readonly score: number, readonly bound: number, readonly matches: number }

function solved (snapshot: Snapshot, ms: number, seed: number): Solved {
  const started = cpuNow()
  const kernel = kernelOf(snapshot)
  const program = programOf(kernel)
  const result = search(program, { budgetMs: ms - (cpuNow() - started), seed, now: cpuNow, report: () => undefined })
  const verified = verifySolution(snapshot, { epoch: snapshot.epoch, engine: 'price', matches: matchesOf(kernel, result.places) })
  if (!verified.ok || verified.score < result.worth) throw new Error(`the search's answer counts ${verified.score}, not ${result.worth}: ${verified.code ?? ''}`)
  const certificate = certificateOf(kernel, result.prices)
  return { kernel, program, result, certificate, score: verified.score, bound: boundAt(kernel, pricesOf(kernel, certificate)), matches: verified.counted }
}

/** A share as a figure, to four digits. */
function share (name: string, value: number): Figure {
  return { ...reported(name, value, ''), value: Math.round(value * 10_000) / 10_000 }
}

function newJob (row: JobRow, trusting: JobRow): JobRow {
  return { ...row, offer: { ...row.offer, mediators: trusting.offer.mediators, targets: [] } }
}
