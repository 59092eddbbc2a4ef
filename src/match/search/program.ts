import type { Kernel } from '../kernel/kernel.ts'
import type { Supplies } from '../kernel/supplies.ts'
import { PLAIN_ROWS, ROWS } from '../kernel/share-rows.ts'

/**
 * What the search needs of a kernel: typed arrays only, those of columns in memory that a worker thread shares. Units are numbered class by class, jobs too, the best
 * bid of each class first. A run is one class's bids round one reference price.
 */
export interface Program {
  readonly jobClasses: number
  readonly unitClasses: number
  readonly units: number
  readonly jobs: number
  readonly runs: number
  readonly jobStart: Int32Array
  readonly demand: Float64Array
  readonly capacity: Float64Array
  /** Per job class: GPUs, and the share of each; the largest limit; what providers lock for it, as a share of the price, bp. */
  readonly devices: Int32Array
  readonly share: Int32Array
  readonly topLimit: Float64Array
  readonly collateralBp: Int32Array
  /** Per job class: its bundle or -1; accounts that may not serve it. */
  readonly bundle: Int32Array
  readonly bannedStart: Int32Array
  readonly banned: Int32Array
  /** Runs that have columns, class by class: those of class s are at runStart[s] to runStart[s + 1] - 1. */
  readonly runStart: Int32Array
  readonly runOf: Int32Array
  /** Per run: its class, the place of its first bid, its reference price. */
  readonly runJob: Int32Array
  readonly runBid: Int32Array
  readonly runReference: Float64Array
  readonly bids: Float64Array
  /** Per job; -1: engines leave it out. */
  readonly limits: Float64Array
  readonly columnStart: Int32Array
  readonly columnRun: Int32Array
  readonly columnCost: Float64Array
  readonly columnAsk: Float64Array
  readonly supplies: Supplies
  /** Units of class u are unitStart[u] to unitStart[u + 1] - 1. */
  readonly unitStart: Int32Array
  readonly unitClass: Int32Array
  readonly unitAccount: Int32Array
  readonly money: Float64Array
  /** Devices of unit i are deviceStart[i] to deviceStart[i + 1] - 1; their free shares. */
  readonly deviceStart: Int32Array
  readonly deviceFree: Int32Array
}

export { PLAIN_ROWS, ROWS }

/** From so many units on time is short, and columns that cost much more than others are left out. In smaller books single columns matter: there it costs up to 2 % (bench/README.md). */
export const MANY_UNITS = 1000

/** The kernel as a program. O(columns). */
export function programOf (kernel: Kernel): Program {
  const { market, jobs, units, columns, jobStart } = kernel
  const { runStart, runOf } = runsWithColumns(kernel)
  const members = units.classes.flatMap((unitClass) => unitClass.units)
  const unitStart = startsOf(units.classes, (unitClass) => unitClass.units.length)
  const unitClass = new Int32Array(members.length)
  const deviceStart = new Int32Array(members.length + 1)
  const devices: number[] = []
  units.classes.forEach(({ shares }, at) => {
    for (let unit = unitStart[at] as number; unit < (unitStart[at + 1] as number); unit++) {
      unitClass[unit] = at
      for (const share of shares) devices.push(share)
      deviceStart[unit + 1] = devices.length
    }
  })
  const limits = new Float64Array(jobStart.at(-1) ?? 0)
  jobs.classes.forEach(({ jobs: places, idle }, at) => {
    const first = jobStart[at] as number
    for (let rank = 0; rank < places.length; rank++) limits[first + rank] = idle ? -1 : jobs.limits[places[rank] as number] as number
  })
  return {
    jobClasses: jobs.classes.length, unitClasses: units.classes.length, units: members.length, jobs: limits.length, runs: columns.runs.job.length,
    jobStart, demand: kernel.demand, capacity: kernel.capacity,
    devices: Int32Array.from(jobs.classes, ({ row }) => row.offer.gpus.length), share: Int32Array.from(jobs.classes, ({ row }) => row.offer.gpus[0]?.shareBp ?? 0),
    topLimit: Float64Array.from(jobs.classes, ({ jobs: places }) => jobs.limits[places[0] as number] as number), collateralBp: Int32Array.from(jobs.classes, ({ row }) => Math.max(market.rules.collateralBp, row.offer.collateralBp)),
    bundle: Int32Array.from(jobs.classes, ({ bundle }) => bundle), bannedStart: startsOf(jobs.classes, ({ banned }) => banned.length), banned: Int32Array.from(jobs.classes.flatMap(({ banned }) => banned)),
    runStart, runOf, runJob: columns.runs.job, runBid: columns.runs.bid, runReference: columns.runs.reference, bids: columns.bids, limits,
    columnStart: columns.start, columnRun: columns.run, columnCost: columns.cost, columnAsk: columns.ask, supplies: columns.supplies,
    unitStart, unitClass, unitAccount: Int32Array.from(members, ({ offers }) => market.accountOf[offers[0] as number] as number), money: Float64Array.from(market.accounts),
    deviceStart, deviceFree: Int32Array.from(devices)
  }
}

/** The runs that columns have, class by class; a class may have been asked what it bids where it has none. */
function runsWithColumns ({ jobs, columns: { run, runs } }: Kernel): Pick<Program, 'runStart' | 'runOf'> {
  const has = new Uint8Array(runs.job.length)
  for (let column = 0; column < run.length; column++) has[run[column] as number] = 1
  const ofClass: number[][] = jobs.classes.map(() => [])
  runs.job.forEach((job, at) => { if (has[at] === 1) ofClass[job]?.push(at) })
  return { runStart: startsOf(ofClass, (own) => own.length), runOf: Int32Array.from(ofClass.flat()) }
}

/** Where each one's part begins, when parts of so many stand one after the other. */
function startsOf<T> (list: readonly T[], countOf: (one: T) => number): Int32Array {
  const start = new Int32Array(list.length + 1)
  for (let at = 0; at < list.length; at++) start[at + 1] = (start[at] as number) + countOf(list[at] as T)
  return start
}
