import type { Board } from './board.ts'
import { MANY_UNITS, type Program } from './program.ts'

/** In a book of many units columns are looked at whose reduced cost is within this share of the mean surplus: sorting them is most of what a first solution costs. */
const NEAR = 0.1

/**
 * Places jobs by falling surplus, bid less their class's margin, on the unit of the cheapest effective price; best fit among the units of a class. Bundles stand
 * where all of them fit, or not at all.
 */
export function construct (program: Program, board: Board, prices: { resources: Float64Array, margin: Float64Array }): void {
  const { jobClasses, jobStart, runStart, runOf, runBid, runJob, bids, columnCost, columnRun, bundle } = program
  const far = program.units < MANY_UNITS ? Number.POSITIVE_INFINITY : NEAR * meanSurplus(program, prices.margin)
  // A column that costs more than its best bid brings, or much more than the best of its run, is left to whoever fills up later, which bundles cannot be.
  const byClass = columnsByClass(program, (column) => {
    const run = columnRun[column]!
    const price = columnCost[column]! + prices.resources[column]!
    return (price <= bids[runBid[run]!]! && price - prices.margin[run]! <= far) || bundle[runJob[run]!]! >= 0
  })
  sortColumns(byClass, (column) => columnCost[column]! + prices.resources[column]!)
  const count = jobStart[jobClasses]!
  const surplus = new Float64Array(count)
  const classOf = new Int32Array(count)
  for (let job = 0; job < jobClasses; job++) {
    for (let at = jobStart[job]!; at < jobStart[job + 1]!; at++) {
      classOf[at] = job
      let best = Number.NEGATIVE_INFINITY
      for (let own = runStart[job]!; own < runStart[job + 1]!; own++) best = Math.max(best, bids[runBid[runOf[own]!]! + at - jobStart[job]!]! - prices.margin[runOf[own]!]!)
      surplus[at] = best
    }
  }
  const order = Uint32Array.from(surplus.keys()).sort((left, right) => surplus[right]! - surplus[left]! || left - right)
  /** Per class: the first of its columns with a unit that may have room; what is full stays full. */
  const head = Int32Array.from(byClass.start.subarray(0, jobClasses))
  const tryPlace = (job: number): number => {
    for (let at = head[job]!; at < byClass.start[job + 1]!; at++) {
      const column = byClass.columns[at]!
      if (board.gain(column) > 0) {
        const unit = bestUnit(program, board, column, byClass.unitClass[column]!)
        if (unit >= 0) return board.place(column, unit)
      }
      if (at === head[job] && bundle[job]! < 0) head[job] = at + 1
    }
    return -1
  }
  const bundles = new Map<number, number[]>()
  for (let job = 0; job < jobClasses; job++) if (bundle[job]! >= 0) bundles.set(bundle[job]!, [...bundles.get(bundle[job]!) ?? [], job])
  const done = new Set<number>()
  for (const at of order) {
    const job = classOf[at]!
    const number = bundle[job]!
    if (number < 0) {
      tryPlace(job)
    } else if (!done.has(number)) {
      done.add(number)
      placeBundle(program, board, bundles.get(number) ?? [], tryPlace)
    }
  }
}

function placeBundle (program: Program, board: Board, members: readonly number[], tryPlace: (job: number) => number): void {
  const places: number[] = []
  for (const job of members) {
    for (let copy = program.jobStart[job]!; copy < program.jobStart[job + 1]!; copy++) {
      const place = tryPlace(job)
      if (place < 0) {
        for (const taken of places.reverse()) board.remove(taken)
        return
      }
      places.push(place)
    }
  }
}

/** The unit of the class with room that has least CPU, then memory, left as a share; -1 when none has room. */
export function bestUnit (program: Program, board: Board, column: number, unitClass: number): number {
  const { unitStart, deviceStart } = program
  let best = -1
  let bestLeft = Number.POSITIVE_INFINITY
  for (let unit = unitStart[unitClass]!; unit < unitStart[unitClass + 1]!; unit++) {
    if (!board.fits(column, unit)) continue
    let left = board.free[unit * 3]! / 100_000 + board.free[unit * 3 + 1]! / 1_000_000
    for (let device = deviceStart[unit]!; device < deviceStart[unit + 1]!; device++) left += board.deviceFree[device]! / 10_000
    if (left < bestLeft) {
      best = unit
      bestLeft = left
    }
  }
  return best
}

/** Prices are told apart to this part of the dearest of the class; equal ones stay in the order of columns. */
const FINENESS = 2 ** 28
const PLACES = 2 ** 24

/** Sorts each class's columns by price. As numbers without a comparison of ours, which takes a fifth of the time: price and place share one double. */
function sortColumns ({ start, columns }: { start: Int32Array, columns: Int32Array }, priceOf: (column: number) => number): void {
  const keys = new Float64Array(columns.length)
  const before = Int32Array.from(columns)
  for (let job = 0; job + 1 < start.length; job++) {
    const [first, end] = [start[job]!, start[job + 1]!]
    let dearest = 1
    for (let at = first; at < end; at++) dearest = Math.max(dearest, priceOf(columns[at]!))
    for (let at = first; at < end; at++) keys[at] = Math.floor(priceOf(columns[at]!) / dearest * FINENESS) * PLACES + at - first
    keys.subarray(first, end).sort()
    for (let at = first; at < end; at++) columns[at] = before[first + keys[at]! - Math.floor(keys[at]! / PLACES) * PLACES]!
  }
}

/** Columns of each job class, those that are wanted; the unit class of every column. */
export function columnsByClass ({ jobClasses, unitClasses, runJob, columnRun, columnStart }: Program, isWanted: (column: number) => boolean = () => true): { start: Int32Array, columns: Int32Array, unitClass: Int32Array } {
  const start = new Int32Array(jobClasses + 1)
  const wanted = new Uint8Array(columnRun.length)
  for (let column = 0; column < columnRun.length; column++) {
    if (!isWanted(column)) continue
    wanted[column] = 1
    start[runJob[columnRun[column]!]! + 1]!++
  }
  for (let job = 0; job < jobClasses; job++) start[job + 1]! += start[job]!
  const fill = Int32Array.from(start)
  const columns = new Int32Array(start[jobClasses]!)
  const unitClass = new Int32Array(columnRun.length)
  for (let unit = 0; unit < unitClasses; unit++) {
    for (let column = columnStart[unit]!; column < columnStart[unit + 1]!; column++) {
      unitClass[column] = unit
      if (wanted[column] === 1) columns[fill[runJob[columnRun[column]!]!]!++] = column
    }
  }
  return { start, columns, unitClass }
}

/** What a job that wants in has over its margin, in the mean. */
function meanSurplus ({ jobClasses, jobStart, runStart, runOf, runBid, bids }: Program, margin: Float64Array): number {
  let sum = 0
  let count = 0
  for (let job = 0; job < jobClasses; job++) {
    for (let rank = 0; rank < jobStart[job + 1]! - jobStart[job]!; rank++) {
      let best = 0
      for (let own = runStart[job]!; own < runStart[job + 1]!; own++) best = Math.max(best, bids[runBid[runOf[own]!]! + rank]! - margin[runOf[own]!]!)
      if (best === 0) continue
      sum += best
      count++
    }
  }
  return sum / Math.max(1, count)
}
