import type { Kernel } from '../kernel/kernel.ts'
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
  /** Per job class: GPUs, and the share of each. */
  readonly devices: Int32Array
  readonly share: Int32Array
  /** Per job class: its bundle or -1; accounts that may not serve it. */
  readonly bundle: Int32Array
  readonly bannedStart: Int32Array
  readonly banned: Int32Array
  /** Per run: its class and the place of its first bid; runs of class s are runStart[s] to runStart[s + 1] - 1. */
  readonly runStart: Int32Array
  readonly runClass: Int32Array
  readonly runBid: Int32Array
  readonly bids: Float64Array
  /** Per job; -1: engines leave it out. */
  readonly limits: Float64Array
  readonly columnStart: Int32Array
  readonly columnJob: Int32Array
  readonly columnRun: Int32Array
  readonly columnLow: Int32Array
  readonly columnHigh: Int32Array
  readonly columnCost: Float64Array
  readonly columnAsk: Float64Array
  readonly columnLock: Float64Array
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
  const { runStart, runClass, runBid, columnRun } = runsOf(kernel)
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
    jobClasses: jobs.classes.length, unitClasses: units.classes.length, units: members.length, jobs: limits.length, runs: runBid.length,
    jobStart, demand: kernel.demand, capacity: kernel.capacity,
    devices: Int32Array.from(jobs.classes, ({ row }) => row.offer.gpus.length), share: Int32Array.from(jobs.classes, ({ row }) => row.offer.gpus[0]?.shareBp ?? 0),
    bundle: Int32Array.from(jobs.classes, ({ bundle }) => bundle), bannedStart: startsOf(jobs.classes, ({ banned }) => banned.length), banned: Int32Array.from(jobs.classes.flatMap(({ banned }) => banned)),
    runStart, runClass, runBid, bids: columns.bids, limits,
    columnStart: columns.start, columnJob: columns.job, columnRun,
    columnLow: columns.low, columnHigh: columns.high, columnCost: columns.cost, columnAsk: columns.ask, columnLock: columns.lock,
    unitStart, unitClass, unitAccount: Int32Array.from(members, ({ offers }) => market.accountOf[offers[0] as number] as number), money: Float64Array.from(market.accounts),
    deviceStart, deviceFree: Int32Array.from(devices)
  }
}

/** The runs that columns have, numbered class by class, and the run of each column. */
function runsOf ({ jobs, columns }: Kernel): Pick<Program, 'runStart' | 'runClass' | 'runBid' | 'columnRun'> {
  const { bid, job, bids } = columns
  /** Per place of a first bid: one more than its run. */
  const runOfBid = new Int32Array(bids.length)
  const found: number[] = []
  const owners: number[] = []
  for (let at = 0; at < bid.length; at++) {
    const first = bid[at] as number
    if (runOfBid[first] !== 0) continue
    runOfBid[first] = found.push(first)
    owners.push(job[at] as number)
  }
  const order = Int32Array.from(found.keys()).sort((left, right) => (owners[left] as number) - (owners[right] as number) || (found[left] as number) - (found[right] as number))
  const runClass = order.map((at) => owners[at] as number)
  const runBid = order.map((at) => found[at] as number)
  const runStart = new Int32Array(jobs.classes.length + 1)
  runBid.forEach((first, run) => {
    runOfBid[first] = run
    runStart[(runClass[run] as number) + 1] = run + 1
  })
  for (let at = 1; at < runStart.length; at++) runStart[at] = Math.max(runStart[at] as number, runStart[at - 1] as number)
  const columnRun = new Int32Array(new SharedArrayBuffer(bid.length * Int32Array.BYTES_PER_ELEMENT))
  for (let at = 0; at < columnRun.length; at++) columnRun[at] = runOfBid[bid[at] as number] as number
  return { runStart, runClass, runBid, columnRun }
}

/** Where each one's part begins, when parts of so many stand one after the other. */
function startsOf<T> (list: readonly T[], countOf: (one: T) => number): Int32Array {
  const start = new Int32Array(list.length + 1)
  for (let at = 0; at < list.length; at++) start[at + 1] = (start[at] as number) + countOf(list[at] as T)
  return start
}
