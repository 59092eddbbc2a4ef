import type { Board } from './board.ts'
import { byPrice, type Prices } from './by-price.ts'
import { MANY_UNITS, type Program } from './program.ts'

/**
 * In a book of many units columns are looked at whose reduced cost is within this share of the mean surplus, and jobs whose surplus is no further below nothing: half of
 * the jobs are beyond that, and what of them finds room adds 0.05 % (rounds and `fillUp` see to it).
 */
const NEAR = 0.2
const LEAST = 0.05

/**
 * Places jobs by falling surplus, bid less their class's margin, on the unit of the cheapest effective price; best fit among the units of a class. Bundles stand
 * where all of them fit, or not at all.
 */
export function construct (program: Program, board: Board, prices: Prices): void {
  const { jobClasses, jobStart, bundle } = program
  const { surplus, mean } = surplusOf(program, prices.margin)
  const isLarge = program.units >= MANY_UNITS
  const columns = byPrice(program, prices, isLarge ? NEAR * mean : Number.POSITIVE_INFINITY)
  /** The place of the job on the best unit of the column at this place; -1 when there is no room, or the job brings nothing there. */
  const placeAt = (job: number, at: number): number => {
    const column = columns.column(job, at)
    const unit = board.gain(column) > 0 ? bestUnit(program, board, column, columns.unitClass(job, at)) : -1
    return unit < 0 ? -1 : board.place(column, unit)
  }
  /** Per class: the first of its columns with a unit that may have room; what is full stays full. */
  const head = Int32Array.from(columns.start)
  const placeAlone = (job: number): void => {
    const end = columns.start[job + 1]!
    while (head[job]! < end && placeAt(job, head[job]!) < 0) head[job]!++
  }
  /** Bundles are taken back: what was full may have room. */
  const placeBundled = (job: number): number => {
    for (let at = columns.start[job]!; at < columns.start[job + 1]!; at++) {
      const place = placeAt(job, at)
      if (place >= 0) return place
    }
    return -1
  }

  const classOf = new Int32Array(surplus.length)
  const bundles = new Map<number, number[]>()
  for (let job = 0; job < jobClasses; job++) {
    classOf.fill(job, jobStart[job], jobStart[job + 1])
    if (bundle[job]! >= 0) bundles.set(bundle[job]!, [...bundles.get(bundle[job]!) ?? [], job])
  }
  const least = isLarge ? -LEAST * mean : Number.NEGATIVE_INFINITY
  const order = Uint32Array.from(surplus.keys()).filter((at) => surplus[at]! >= least || bundle[classOf[at]!]! >= 0)
  const done = new Set<number>()
  for (const at of order.sort((left, right) => surplus[right]! - surplus[left]! || left - right)) {
    const job = classOf[at]!
    const number = bundle[job]!
    if (number < 0) {
      placeAlone(job)
    } else if (!done.has(number)) {
      done.add(number)
      placeBundle(program, board, bundles.get(number) ?? [], placeBundled)
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

/** Per job what its bid has over its class's margin, at most; the mean of those that have any. */
function surplusOf ({ jobClasses, jobStart, runStart, runBid, bids }: Program, margin: Float64Array): { surplus: Float64Array, mean: number } {
  const surplus = new Float64Array(jobStart[jobClasses]!).fill(Number.NEGATIVE_INFINITY)
  let sum = 0
  let count = 0
  for (let job = 0; job < jobClasses; job++) {
    const first = jobStart[job]!
    const end = jobStart[job + 1]!
    for (let run = runStart[job]!; run < runStart[job + 1]!; run++) {
      const offset = runBid[run]! - first
      for (let at = first; at < end; at++) surplus[at] = Math.max(surplus[at]!, bids[offset + at]! - margin[run]!)
    }
    for (let at = first; at < end; at++) {
      if (surplus[at]! <= 0) continue
      sum += surplus[at]!
      count++
    }
  }
  return { surplus, mean: sum / Math.max(1, count) }
}
