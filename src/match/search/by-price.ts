import type { Program } from './program.ts'

/** Columns that are wanted, class by class of jobs, each class's by rising effective price. */
export interface ByPrice {
  /** Those of class s have the places start[s] to start[s + 1] - 1. */
  readonly start: Int32Array
  readonly column: (job: number, place: number) => number
  readonly unitClass: (job: number, place: number) => number
}

/** What columns' resources cost, and the cheapest effective price of each run. */
export interface Prices { readonly resources: Float64Array, readonly margin: Float64Array }

/**
 * A column that costs more than its best bid brings, or more than `far` above the best of its run, is left out, which those of bundles are not. A key holds a price above, an
 * index within its class below: numbers alone are sorted, which takes a fraction of the time of comparing. Prices are told apart to what the index leaves of 32 bits,
 * of the class's widest difference; equal ones stay in the order of columns.
 */
export function byPrice (program: Program, { resources, margin }: Prices, far: number): ByPrice {
  const { jobClasses, runBid, bids, bundle, columnStart, columnJob, columnRun, columnCost } = program
  const start = new Int32Array(jobClasses + 1)
  const wanted = new Int32Array(columnJob.length)
  let count = 0
  for (let column = 0; column < columnJob.length; column++) {
    const price = columnCost[column]! + resources[column]!
    const run = columnRun[column]!
    const job = columnJob[column]!
    if ((price > bids[runBid[run]!]! || price - margin[run]! > far) && bundle[job]! < 0) continue
    wanted[count++] = column
    start[job + 1]!++
  }
  for (let job = 0; job < jobClasses; job++) start[job + 1]! += start[job]!
  const next = Int32Array.from(start)
  const columns = new Int32Array(count)
  const unitClasses = new Int32Array(count)
  const prices = new Float64Array(count)
  let unit = 0
  for (let at = 0; at < count; at++) {
    const column = wanted[at]!
    while (column >= columnStart[unit + 1]!) unit++
    const place = next[columnJob[column]!]!++
    columns[place] = column
    unitClasses[place] = unit
    prices[place] = columnCost[column]! + resources[column]!
  }
  const keys = new Uint32Array(count)
  const masks = new Uint32Array(jobClasses)
  for (let job = 0; job < jobClasses; job++) {
    const first = start[job]!
    const size = start[job + 1]! - first
    if (size === 0) continue
    let least = Number.POSITIVE_INFINITY
    let most = 0
    for (let at = first; at < first + size; at++) {
      const price = prices[at]!
      if (price < least) least = price
      if (price > most) most = price
    }
    const places = 2 ** (32 - Math.clz32(size - 1))
    const scale = (2 ** 32 / places - 1) / Math.max(1, most - least)
    for (let at = 0; at < size; at++) keys[first + at] = Math.floor((prices[first + at]! - least) * scale) * places + at
    keys.subarray(first, first + size).sort()
    masks[job] = places - 1
  }
  const placeOf = (job: number, place: number): number => start[job]! + (keys[place]! & masks[job]!)
  return { start, column: (job, place) => columns[placeOf(job, place)]!, unitClass: (job, place) => unitClasses[placeOf(job, place)]! }
}
