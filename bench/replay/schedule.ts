import type { Random } from '../../src/core/random.ts'
import type { JobRow, OfferRow } from '../../src/match/problem.ts'
import type { MatchRules } from '../../src/match/options.ts'
import { makeRows } from '../match/made-up.ts'
import { toSnapshot } from '../match/offers.ts'
import type { Rows, Task } from '../match/rows.ts'
import { readTrace } from '../match/trace.ts'

export const SIZES = ['no GPU', 'part of a GPU', 'one GPU', 'several GPUs'] as const
export type Size = typeof SIZES[number]

/** A job of the replay: it comes `atMs` after the start and holds its share for `runMs`. */
export interface Arrival { readonly row: JobRow, readonly atMs: number, readonly runMs: number, readonly size: Size }
export interface Schedule { readonly name: string, readonly arrivals: readonly Arrival[], readonly machines: readonly OfferRow[] }

/** Pods for a machine in the trace. */
const TASKS_A_MACHINE = 8152 / 1523
/** Arrivals end here, so that the last ones have a few epochs to be matched. */
const ARRIVALS_SHARE = 0.8
/** Of a trace's tasks this share may come before the time starts: they all come at the start. Its first hundredth may take most of its time: in openb they come in the first 78 %. */
const LEAD_SHARE = 0.01
/** Runs of made-up jobs, shares of the whole time: powers of two from a thirty-second to a half. */
const RUN_SHARES = [32, 16, 8, 4, 2]

/** So many machines of the trace's list in `folder` (made-up ones without), and as many tasks for each as the trace has, squeezed into `spanMs`. */
export async function scheduleOf (random: Random, options: { folder: string | undefined, machines: number, spanMs: number, leastRunMs: number, rules: MatchRules }): Promise<Schedule> {
  const { folder, spanMs, leastRunMs } = options
  const tasks = Math.round(options.machines * TASKS_A_MACHINE)
  const all = folder === undefined ? makeRows(random, { tasks, machines: options.machines }) : await readTrace(folder, 'default')
  const rows: Rows = { name: all.name, machines: some(random, all.machines, options.machines), tasks: some(random, all.tasks, tasks) }
  const book = toSnapshot(random, rows, options.rules)
  const squeeze = squeezeOf(rows.tasks.flatMap(({ span }) => span?.fromS ?? []), spanMs * ARRIVALS_SHARE)
  const timeOf = (task: Task): { atMs: number, runMs: number } => {
    const { span } = task
    if (span === undefined) return { atMs: random.below(Math.floor(spanMs * ARRIVALS_SHARE)), runMs: Math.floor(spanMs / (RUN_SHARES[random.below(RUN_SHARES.length)] as number)) }
    return { atMs: squeeze.at(span.fromS), runMs: squeeze.length(span.untilS - span.fromS) }
  }
  const arrivals = rows.tasks.map((task, at): Arrival => {
    const { atMs, runMs } = timeOf(task)
    const row = book.jobs[at] as JobRow
    return { row: { ...row, offer: { ...row.offer, targets: [] } }, atMs, runMs: Math.max(leastRunMs, runMs), size: sizeOf(task) }
  })
  return { name: rows.name, machines: book.offers, arrivals: arrivals.sort((left, right) => left.atMs - right.atMs) }
}

/** A trace's seconds as ms of the replay: from the arrival after its lead to its last one in `spanMs`. */
export function squeezeOf (arrivalsS: readonly number[], spanMs: number): { at: (second: number) => number, length: (seconds: number) => number } {
  const sorted = [...arrivalsS].sort((left, right) => left - right)
  const first = sorted[Math.floor(sorted.length * LEAD_SHARE)] ?? 0
  const scale = spanMs / Math.max(1, (sorted.at(-1) ?? 0) - first)
  return { at: (second) => Math.floor(Math.max(0, second - first) * scale), length: (seconds) => Math.floor(seconds * scale) }
}

function sizeOf ({ gpus, gpuMilli }: Task): Size {
  if (gpus === 0) return 'no GPU'
  if (gpus > 1) return 'several GPUs'
  return gpuMilli < 1000 ? 'part of a GPU' : 'one GPU'
}

/** `count` of the list by seed, none twice, in their order. */
function some<T> (random: Random, list: readonly T[], count: number): T[] {
  const places = list.map((_, at) => at)
  while (places.length > count) places.splice(random.below(places.length), 1)
  return places.map((at) => list[at] as T)
}
