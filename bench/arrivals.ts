import { matchesOf } from '../src/match/assemble.ts'
import { certificateOf } from '../src/match/certificate.ts'
import { kernelOf } from '../src/match/kernel/kernel.ts'
import type { Snapshot, Solution } from '../src/match/problem.ts'
import { programOf } from '../src/match/search/program.ts'
import { search } from '../src/match/search/search.ts'
import { openSession } from '../src/match/session.ts'
import { verifySolution } from '../src/match/verify.ts'
import { atLeast, atMost, percentile, reported, type Bench, type Figure } from './figure.ts'
import { bookOf, cpuNow, rowsToMeasure } from './match/book.ts'

/** Jobs held out of the book, which come one by one; as many of the others are withdrawn. */
const CHANGES = 400
const SOLVE_MS = 1500
/** The same changes so many times: each counts with its least time by the wall clock, since the CPU clock may step by 4 ms and others use the machine too. */
const RUNS = 3
const MAX_P50_MS = 0.1
const MAX_P99_MS = 4
const MIN_SHARE = 0.98

/** One job that comes to, or is withdrawn from, a solved book of 8,152 x 1,523, beside a whole solve of the book after all of them. */
export const benchArrivals: Bench = async ({ seed, trace, progress }) => {
  const figures: Figure[] = []
  for (const source of (await rowsToMeasure(trace, seed)).slice(0, 2)) {
    progress(`measuring ${source.name}`)
    const whole = bookOf(source, seed)
    const before = { ...whole, jobs: whole.jobs.slice(0, -CHANGES) }
    const solved = solve(before, seed)
    const gone = new Set(solved.matches.slice(0, CHANGES).map(({ job }) => job))
    const runs = Array.from({ length: RUNS }, () => {
      const started = performance.now()
      const session = openSession(before, solved)
      const openMs = performance.now() - started
      const timed = (task: () => void): number => {
        const start = performance.now()
        task()
        return performance.now() - start
      }
      return { session, openMs, arrivals: whole.jobs.slice(-CHANGES).map((row) => timed(() => { session.add(row) })), cancels: [...gone].map((id) => timed(() => { session.remove(id) })) }
    })
    const least = (of: (run: (typeof runs)[number]) => readonly number[]): number[] => of(runs[0] as (typeof runs)[number]).map((_, at) => Math.min(...runs.map((run) => of(run)[at] as number)))
    const arrivals = least((run) => run.arrivals)
    const cancels = least((run) => run.cancels)
    const openMs = Math.min(...runs.map((run) => run.openMs))
    const { session } = runs[0] as (typeof runs)[number]

    const after = { ...whole, jobs: whole.jobs.filter(({ id }) => !gone.has(id)) }
    const kept = verifySolution(after, session.solution())
    if (!kept.ok || kept.unknown > 0) throw new Error(`the session's solution does not count: ${kept.code ?? `${kept.unknown} unknown`}`)
    const again = cpuNow()
    const fresh = verifySolution(after, solve(after, seed))
    const fullMs = cpuNow() - again
    for (const [name, samples] of [['a job comes', arrivals], ['a job is withdrawn', cancels]] as const) {
      figures.push(
        atMost(`${source.name}: ${name}, p50`, percentile(samples, 0.5), MAX_P50_MS, 'ms', { name: 'a whole solve', value: fullMs }),
        atMost(`${source.name}: ${name}, p99`, percentile(samples, 0.99), MAX_P99_MS, 'ms'),
        reported(`${source.name}: ${name}, longest`, Math.max(...samples), 'ms')
      )
    }
    figures.push(reported(`${source.name}: opening the session`, openMs, 'ms'), { ...atLeast(`${source.name}: score after all, of a whole solve's`, kept.score / fresh.score, MIN_SHARE, ''), value: Math.round(kept.score / fresh.score * 10_000) / 10_000 })
  }
  return figures
}

function solve (snapshot: Snapshot, seed: number): Solution & { certificate: ReturnType<typeof certificateOf> } {
  const kernel = kernelOf(snapshot)
  const { places, prices } = search(programOf(kernel), { budgetMs: SOLVE_MS, seed, now: cpuNow, report: () => undefined })
  return { epoch: snapshot.epoch, engine: 'price', matches: matchesOf(kernel, places), certificate: certificateOf(kernel, prices) }
}
