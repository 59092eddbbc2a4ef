import { createSeededRandom } from '../../src/core/random.ts'
import type { Snapshot } from '../../src/match/problem.ts'
import { makeRows } from './made-up.ts'
import { rulesFor, toSnapshot, type BandName } from './offers.ts'
import type { Rows } from './rows.ts'
import { specified } from './specified.ts'
import { readTrace } from './trace.ts'

/** Size of the trace. */
export const TASKS = 8152
export const MACHINES = 1523
/** Lists of the trace that are measured when they lie in the folder; searches were tuned on the first, the others were held out. */
const LISTS = ['default', 'gpuspec10', 'multigpu20', 'gpushare40']

/** Rows to measure on: the trace's lists in `folder`, else made-up ones of its size. */
export async function rowsToMeasure (folder: string | undefined, seed: number): Promise<Rows[]> {
  const madeUp = makeRows(createSeededRandom(seed), { tasks: TASKS, machines: MACHINES })
  return folder === undefined ? [madeUp] : [...await Promise.all(LISTS.map(async (list) => await readTrace(folder, list))), madeUp]
}

/** Tasks of the trace's list gpuspec33 that name models, a third of those with GPUs. The list is not at hand: one like it is made of gpuspec10. */
const NAMING = 2388
const LIKE_SEED = 1

/** Rows like the trace's list gpuspec33, made from what lies in `folder`: not the published file. */
export async function likeGpuspec33 (folder: string): Promise<Rows> {
  return specified(createSeededRandom(LIKE_SEED), await readTrace(folder, 'gpuspec10'), NAMING, 'gpuspec33-like')
}

/** A book of the rows, the same for the same seed. */
export function bookOf (rows: Rows, seed: number, band: BandName = 'wide'): Snapshot {
  return toSnapshot(createSeededRandom(seed), rows, rulesFor(band))
}

/** Milliseconds of CPU time of this thread: a search in a benchmark runs on this clock, so that what else the machine does hardly counts. */
export function cpuNow (): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
