import type { Kernel } from '../kernel/kernel.ts'
import { PLAIN_ROWS, ROWS } from '../kernel/share-rows.ts'

/**
 * What the search needs of a kernel: typed arrays only, so that a worker thread gets it without copying. Units are numbered class by class, jobs too, the best
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

/** The kernel as a program. O(columns). */
export function programOf (kernel: Kernel): Program {
  const { market, jobs, units, columns, jobStart } = kernel
  /** Per place of a first bid: one more than its run. */
  const runOfBid = new Int32Array(columns.bids.length)
  const found: Array<{ job: number, bid: number }> = []
  for (let at = 0; at < columns.bid.length; at++) {
    const bid = columns.bid[at] as number
    if (runOfBid[bid] !== 0) continue
    runOfBid[bid] = 1
    found.push({ job: columns.job[at] as number, bid })
  }
  found.sort((left, right) => left.job - right.job || left.bid - right.bid)
  const runStart = new Int32Array(jobs.classes.length + 1)
  found.forEach(({ job, bid }, run) => {
    runOfBid[bid] = run + 1
    runStart[job + 1] = run + 1
  })
  const columnRun = new Int32Array(columns.bid.length)
  for (let at = 0; at < columnRun.length; at++) columnRun[at] = (runOfBid[columns.bid[at] as number] as number) - 1
  for (let job = 1; job < runStart.length; job++) runStart[job] = Math.max(runStart[job] as number, runStart[job - 1] as number)

  const members = units.classes.flatMap((unitClass, at) => unitClass.units.map(({ unit, offers }) => ({ class: at, unit, account: market.accountOf[offers[0] as number] as number, shares: unitClass.shares })))
  const { start: unitStart } = spread(units.classes.map((unitClass) => unitClass.units.length))
  const { start: deviceStart, total: deviceCount } = spread(members.map(({ shares }) => shares.length))
  const deviceFree = new Int32Array(deviceCount)
  members.forEach(({ shares }, at) => { deviceFree.set(shares, deviceStart[at]) })
  const { start: bannedStart } = spread(jobs.classes.map(({ banned }) => banned.length))
  return {
    jobClasses: jobs.classes.length, unitClasses: units.classes.length, units: members.length, jobs: jobStart.at(-1) ?? 0, runs: found.length,
    jobStart, demand: kernel.demand, capacity: kernel.capacity,
    devices: Int32Array.from(jobs.classes, ({ row }) => row.offer.gpus.length), share: Int32Array.from(jobs.classes, ({ row }) => row.offer.gpus[0]?.shareBp ?? 0),
    bundle: Int32Array.from(jobs.classes, ({ bundle }) => bundle), bannedStart, banned: Int32Array.from(jobs.classes.flatMap(({ banned }) => banned)),
    runStart, runClass: Int32Array.from(found, ({ job }) => job), runBid: Int32Array.from(found, ({ bid }) => bid), bids: columns.bids,
    limits: Float64Array.from(jobs.classes.flatMap((jobClass) => jobClass.jobs.map((at) => jobClass.idle ? -1 : jobs.limits[at] as number))),
    columnStart: columns.start, columnJob: columns.job, columnRun,
    columnLow: columns.low, columnHigh: columns.high, columnCost: columns.cost, columnAsk: columns.ask, columnLock: columns.lock,
    unitStart, unitClass: Int32Array.from(members, (member) => member.class), unitAccount: Int32Array.from(members, ({ account }) => account), money: Float64Array.from(market.accounts),
    deviceStart, deviceFree
  }
}

function spread (counts: readonly number[]): { start: Int32Array, total: number } {
  const start = new Int32Array(counts.length + 1)
  counts.forEach((count, at) => { start[at + 1] = (start[at] as number) + count })
  return { start, total: start[counts.length] as number }
}
