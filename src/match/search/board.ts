import { lockFor, supplyOfColumn } from '../kernel/supplies.ts'
import type { Program } from './program.ts'

/**
 * A feasible assignment under change. A class's placed jobs are always its best bids, so a place belongs to a class and its jobs move up when one leaves. Places
 * are numbered; each has a unit, a column and its devices as bits.
 */
export interface Board {
  /** What is placed counts, as bids less costs, nLILY. */
  worth: number
  /** Jobs placed, per class. */
  readonly placed: Int32Array
  /** Free CPU, memory and disk per unit; free shares per device; free collateral per account. */
  readonly free: Float64Array
  readonly deviceFree: Int32Array
  readonly money: Float64Array
  /** First place of each unit and the next of each place; -1 ends. */
  readonly first: Int32Array
  readonly next: Int32Array
  /** Per place: its column, its unit, its rank in its class, its devices. */
  readonly column: Int32Array
  readonly unit: Int32Array
  readonly rank: Int32Array
  readonly low: Int32Array
  readonly high: Int32Array
  /** Per job (class by class, by rank): its place. */
  readonly placeOf: Int32Array
  /** What the next job of the column's class would add; -Infinity when none is left or its limit is below the ask. */
  gain: (column: number) => number
  /** Whether resources, devices, collateral and accounts leave room. */
  fits: (column: number, unit: number) => boolean
  /** Places the next job of the column's class on a unit where it fits; the place. */
  place: (column: number, unit: number) => number
  /** Takes back the latest `remove` that is not taken back yet: same column, unit, devices and rank. */
  restore: (column: number, unit: number, low: number, high: number, rank: number) => number
  remove: (place: number) => void
}

export function createBoard (program: Program): Board {
  const { demand, jobStart, devices, share, topLimit, collateralBp, bannedStart, banned, bundle, runBid, runReference, bids, limits, runJob, columnRun, columnCost, columnAsk, supplies, unitAccount, unitClass, deviceStart, units, jobs, capacity } = program
  const { low: supplyLow, high: supplyHigh, bound: supplyBound } = supplies
  const rows = demand.length / Math.max(1, program.jobClasses)
  const free = new Float64Array(units * 3)
  for (let unit = 0; unit < units; unit++) for (let row = 0; row < 3; row++) free[unit * 3 + row] = capacity[unitClass[unit]! * rows + row]!
  const deviceFree = Int32Array.from(program.deviceFree)
  const money = Float64Array.from(program.money)
  const placed = new Int32Array(program.jobClasses)
  const first = new Int32Array(units).fill(-1)
  const next = new Int32Array(jobs)
  const before = new Int32Array(jobs)
  const column = new Int32Array(jobs)
  const unitOf = new Int32Array(jobs)
  const rank = new Int32Array(jobs)
  const low = new Int32Array(jobs)
  const high = new Int32Array(jobs)
  const placeOf = new Int32Array(jobs).fill(-1)
  const spare = Int32Array.from({ length: jobs }, (_, at) => jobs - 1 - at)
  let spares = jobs

  const bidAt = (of: number, at: number): number => bids[runBid[columnRun[of]!]! + at]!
  const jobOf = (of: number): number => runJob[columnRun[of]!]!
  const supplyOf = (of: number, at: number): number => supplyOfColumn(supplies, unitClass[at]!, of)
  /** Most that the unit's provider locks for it; Infinity when that is beyond the offer's own bound, or when the column only bounds pairs. */
  const lockOf = (of: number, at: number): number => {
    const job = jobOf(of)
    return lockFor(topLimit[job]!, columnAsk[of]!, runReference[columnRun[of]!]!, collateralBp[job]!, supplyBound[supplyOf(of, at)]!)
  }
  const isAllowed = (job: number, of: number): boolean => {
    const end = bannedStart[job + 1]!
    const account = unitAccount[of]!
    for (let at = bannedStart[job]!; at < end; at++) if (banned[at] === account) return false
    if (bundle[job]! < 0) return true
    // Copies of one job need providers that differ.
    for (let at = 0; at < placed[job]!; at++) if (unitAccount[unitOf[placeOf[jobStart[job]! + at]!]!] === account) return false
    return true
  }
  const hasDevices = (of: number, at: number, job: number): boolean => {
    const wanted = share[job]!
    let left = devices[job]!
    const supply = supplyOf(of, at)
    const start = deviceStart[at]!
    const count = deviceStart[at + 1]! - start
    for (let device = 0; device < count; device++) {
      if (deviceFree[start + device]! < wanted) continue
      if (((device < 32 ? supplyLow[supply]! >>> device : supplyHigh[supply]! >>> (device - 32)) & 1) === 0) continue
      if (--left === 0) return true
    }
    return false
  }
  const settle = (of: number, at: number, lowBits: number, highBits: number): number => {
    const job = jobOf(of)
    const rankOf = placed[job]!
    const place = spare[--spares]!
    column[place] = of
    unitOf[place] = at
    rank[place] = rankOf
    low[place] = lowBits
    high[place] = highBits
    placeOf[jobStart[job]! + rankOf] = place
    placed[job] = rankOf + 1
    next[place] = first[at]!
    before[place] = -1
    if (first[at]! >= 0) before[first[at]!] = place
    first[at] = place
    move(of, at, lowBits, highBits, -1)
    board.worth += bidAt(of, rankOf) - columnCost[of]!
    return place
  }
  const move = (of: number, at: number, lowBits: number, highBits: number, sign: number): void => {
    const job = jobOf(of)
    const base = job * rows
    free[at * 3]! += sign * demand[base]!
    free[at * 3 + 1]! += sign * demand[base + 1]!
    free[at * 3 + 2]! += sign * demand[base + 2]!
    money[unitAccount[at]!]! += sign * lockOf(of, at)
    const amount = sign * share[job]!
    const start = deviceStart[at]!
    for (let bits = lowBits; bits !== 0; bits &= bits - 1) deviceFree[start + 31 - Math.clz32(bits & -bits)]! += amount
    for (let bits = highBits; bits !== 0; bits &= bits - 1) deviceFree[start + 63 - Math.clz32(bits & -bits)]! += amount
  }

  const board: Board = {
    worth: 0, placed, free, deviceFree, money, first, next, column, unit: unitOf, rank, low, high, placeOf,
    gain: (of) => {
      const job = jobOf(of)
      const at = placed[job]!
      const place = jobStart[job]! + at
      return place < jobStart[job + 1]! && limits[place]! >= columnAsk[of]! ? bidAt(of, at) - columnCost[of]! : Number.NEGATIVE_INFINITY
    },
    fits: (of, at) => {
      const job = jobOf(of)
      const base = job * rows
      return demand[base]! <= free[at * 3]! && demand[base + 1]! <= free[at * 3 + 1]! && demand[base + 2]! <= free[at * 3 + 2]! &&
        lockOf(of, at) <= money[unitAccount[at]!]! && (devices[job] === 0 || hasDevices(of, at, job)) && isAllowed(job, at)
    },
    place: (of, at) => {
      const job = jobOf(of)
      const wanted = share[job]!
      const supply = supplyOf(of, at)
      let lowBits = 0
      let highBits = 0
      const start = deviceStart[at]!
      const count = deviceStart[at + 1]! - start
      for (let left = devices[job]!; left > 0; left--) {
        // Best fit: the device that has least left over.
        let best = -1
        for (let device = 0; device < count; device++) {
          const has = deviceFree[start + device]!
          if (has < wanted || (best >= 0 && has >= deviceFree[start + best]!)) continue
          if (((device < 32 ? (supplyLow[supply]! & ~lowBits) >>> device : (supplyHigh[supply]! & ~highBits) >>> (device - 32)) & 1) === 0) continue
          best = device
        }
        if (best < 32) lowBits |= 1 << best
        else highBits |= 1 << (best - 32)
      }
      return settle(of, at, lowBits, highBits)
    },
    restore: (of, at, lowBits, highBits, left) => {
      const place = settle(of, at, lowBits, highBits)
      const start = jobStart[jobOf(of)]!
      const lastRank = rank[place]!
      if (left === lastRank) return place
      const other = placeOf[start + left]!
      board.worth += bidAt(of, left) - bidAt(of, lastRank) + bidAt(column[other]!, lastRank) - bidAt(column[other]!, left)
      rank[other] = lastRank
      placeOf[start + lastRank] = other
      rank[place] = left
      placeOf[start + left] = place
      return place
    },
    remove: (place) => {
      const of = column[place]!
      const job = jobOf(of)
      const at = unitOf[place]!
      const left = rank[place]!
      const lastRank = placed[job]! - 1
      board.worth -= bidAt(of, left) - columnCost[of]!
      if (left !== lastRank) {
        // The class loses its worst bid; that job's place goes to the one that left.
        const other = placeOf[jobStart[job]! + lastRank]!
        board.worth += bidAt(column[other]!, left) - bidAt(column[other]!, lastRank)
        rank[other] = left
        placeOf[jobStart[job]! + left] = other
      }
      placeOf[jobStart[job]! + lastRank] = -1
      placed[job] = lastRank
      if (before[place]! >= 0) next[before[place]!] = next[place]!
      else first[at] = next[place]!
      if (next[place]! >= 0) before[next[place]!] = before[place]!
      spare[spares++] = place
      move(of, at, low[place]!, high[place]!, 1)
    }
  }
  return board
}
