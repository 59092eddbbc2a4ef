import { PLAIN_ROWS, ROWS, type Program } from './program.ts'

/** Temperature, as a share of a price, and width of a step; from the first to the last step they fall geometrically. */
export interface Schedule { readonly tau: readonly [number, number], readonly eta: readonly [number, number] }

/** For few steps, and for more than so many. */
export const SHORT_SCHEDULE: Schedule = { tau: [0.2, 0.001], eta: [1, 0.01] }
export const LONG_SCHEDULE: Schedule = { tau: [0.1, 0.0003], eta: [0.5, 0.002] }
export const LONG_STEPS = 60
/** From prices of an epoch ago. */
export const WARM_SCHEDULE: Schedule = { tau: [0.003, 0.0005], eta: [0.03, 0.004] }

/** Prices of unit classes and what they prove. */
export interface Duals {
  /** Per unit class and row: nLILY for one unit of it. */
  readonly prices: Float64Array
  /** No solution counts more than this at these prices, up to rounding of doubles. */
  bound: number
  /** Per run: the cheapest effective price, cost and resources, that its class finds. */
  readonly margin: Float64Array
}

/**
 * Rows that prices are sought for: plain ones, shares, and the function u(4) alone. More of them make the dual degenerate: with five functions 60 steps end 0.7 %
 * higher on a real trace, and it takes 1,000 to do what 200 do with one (bench/README.md).
 */
const SHARES = PLAIN_ROWS
const CUTS = PLAIN_ROWS + 4
const PRICED = [0, 1, 2, SHARES, CUTS] as const
/** Every so many steps all columns are looked at; between, those within this share of their run's margin, or within the temperature. */
const FULL_EVERY = 6
const NEAR = 0.05
const NEAR_STEPS = 2
const WIDE_STEP = 0.3
const NEAR_HEATS = 8
/**
 * (1 - x / 16)^16 stands for e^-x, at a fraction of its time: `falling` of what is left of 1. In the loops over columns nothing branches on it: whether a column
 * counts is as good as drawn, and the wrong guesses of the processor cost a fifth of a step.
 */
const CUT = 16
function falling (left: number): number {
  const second = left * left
  const fourth = second * second
  const eighth = fourth * fourth
  return eighth * eighth
}
const TINY = 1e-30

/** One search of prices; nothing is allocated while it steps. */
export interface DualSearch {
  readonly best: Duals
  readonly current: Float64Array
  step: (tau: number, eta: number) => void
  evaluate: (prices: Float64Array) => number
  /** A number for each column, for whoever needs one while nothing is stepped or evaluated: memory that is taken anew costs more than what is done with it. */
  readonly room: Float64Array
}

export function createDuals (program: Program): DualSearch {
  const { jobClasses, unitClasses, runs, jobStart, demand, capacity, runStart, runOf, runJob, runBid, bids, columnStart, columnRun, columnCost, unitStart } = program
  const prices = new Float64Array(unitClasses * ROWS)
  let steps = 0
  const margin = new Float64Array(runs)
  const effective = new Float64Array(columnRun.length)
  const weight = new Float64Array(runs)
  const wanted = new Float64Array(runs)
  const cooling = new Float64Array(runs)
  const parts = new Float64Array(runs)
  const best: Duals = { prices: new Float64Array(prices.length), bound: Number.POSITIVE_INFINITY, margin: new Float64Array(runs) }

  /** What a job of each run takes of the rows that have prices, neighbours in memory. */
  const takes = new Float64Array(runs * PRICED.length)
  for (let run = 0; run < runs; run++) PRICED.forEach((row, at) => { takes[run * PRICED.length + at] = demand[runJob[run]! * ROWS + row]! })
  /** Of the runs of all classes, in the order of `runOf`: the place of the first bid. */
  const firstBid = runOf.map((run) => runBid[run]!)
  /** Columns that steps look at, unit class by unit class: all of them, or those that were near, in the first places of arrays of their own. */
  const near = { start: new Int32Array(columnStart.length), run: new Int32Array(columnRun.length), cost: new Float64Array(columnRun.length) }
  const all = { start: columnStart, run: columnRun, cost: columnCost }
  let seen = all
  /** After a look at all. */
  const lookAtNear = (tau: number, eta: number): void => {
    const reach = 1 + Math.max(NEAR, NEAR_HEATS * tau, NEAR_STEPS * eta)
    let count = 0
    for (let unit = 0; unit < unitClasses; unit++) {
      near.start[unit] = count
      const end = columnStart[unit + 1]!
      for (let column = columnStart[unit]!; column < end; column++) {
        const run = columnRun[column]!
        if (effective[column]! > margin[run]! * reach) continue
        near.cost[count] = columnCost[column]!
        effective[count] = effective[column]!
        near.run[count++] = run
      }
    }
    near.start[unitClasses] = count
    seen = near
  }

  /** Effective prices of the columns looked at and margins of all runs; the bound's part for capacity. */
  const price = (prices: Float64Array): number => {
    const { start, run: seenRun, cost: seenCost } = seen
    margin.fill(Number.POSITIVE_INFINITY)
    let total = 0
    for (let unit = 0; unit < unitClasses; unit++) {
      const base = unit * ROWS
      let worth = 0
      for (let row = 0; row < ROWS; row++) worth += prices[base + row]! * capacity[base + row]!
      total += worth * (unitStart[unit + 1]! - unitStart[unit]!)
      const p0 = prices[base]!
      const p1 = prices[base + 1]!
      const p2 = prices[base + 2]!
      const p3 = prices[base + SHARES]!
      const p4 = prices[base + CUTS]!
      const end = start[unit + 1]!
      for (let at = start[unit]!; at < end; at++) {
        const run = seenRun[at]!
        const of = run * PRICED.length
        const sum = seenCost[at]! + p0 * takes[of]! + p1 * takes[of + 1]! + p2 * takes[of + 2]! + p3 * takes[of + 3]! + p4 * takes[of + 4]!
        effective[at] = sum
        if (sum < margin[run]!) margin[run] = sum
      }
    }
    return total
  }

  /** The bound's part for jobs. With `tau` also how many of each run want in. */
  const serve = (tau: number): number => {
    let total = 0
    for (let job = 0; job < jobClasses; job++) {
      const first = runStart[job]!
      const last = runStart[job + 1]!
      if (first === last) continue
      const count = jobStart[job + 1]! - jobStart[job]!
      for (let own = first; own < last; own++) wanted[runOf[own]!] = 0
      for (let rank = 0; rank < count; rank++) {
        let top = Number.NEGATIVE_INFINITY
        let topRun = runOf[first]!
        for (let own = first; own < last; own++) {
          const value = bids[firstBid[own]! + rank]! - margin[runOf[own]!]!
          if (value > top) {
            top = value
            topRun = runOf[own]!
          }
        }
        total += top > 1 ? top : 1
        if (tau === 0) continue
        const heat = tau * margin[topRun]! + TINY
        const z = top / heat
        if (z < -CUT) break
        const part = z > CUT ? 1 : 1 / (1 + Math.exp(-z))
        if (last - first === 1) {
          wanted[topRun]! += part
          continue
        }
        let sum = 0
        for (let own = first; own < last; own++) {
          parts[own - first] = falling(Math.max(0, 1 - (top - bids[firstBid[own]! + rank]! + margin[runOf[own]!]!) / (CUT * heat)))
          sum += parts[own - first]!
        }
        for (let own = first; own < last; own++) wanted[runOf[own]!]! += part * parts[own - first]! / sum
      }
    }
    return total
  }

  const adjust = (at: number, usage: number, count: number, eta: number): void => {
    const room = capacity[at]! * count
    if (room > 0 && prices[at]! > 0) prices[at]! *= Math.exp(eta * Math.min(2, usage / room - 1))
  }
  /** How much of each run the columns looked at draw, by how near to its margin they are. */
  const weigh = (tau: number): void => {
    const { start, run: seenRun } = seen
    weight.fill(0)
    for (let run = 0; run < runs; run++) cooling[run] = 1 / (CUT * (tau * margin[run]! + TINY))
    for (let unit = 0; unit < unitClasses; unit++) {
      const count = unitStart[unit + 1]! - unitStart[unit]!
      const end = start[unit + 1]!
      for (let at = start[unit]!; at < end; at++) {
        const run = seenRun[at]!
        const left = Math.max(0, 1 - (effective[at]! - margin[run]!) * cooling[run]!)
        const part = count * falling(left)
        effective[at] = part
        weight[run]! += part
      }
    }
  }
  /** Raises prices of rows that are wanted more than there is, lowers the others. */
  const adjustAll = (eta: number): void => {
    const { start, run: seenRun } = seen
    for (let run = 0; run < runs; run++) weight[run] = weight[run]! > 0 ? wanted[run]! / weight[run]! : 0
    for (let unit = 0; unit < unitClasses; unit++) {
      let u0 = 0
      let u1 = 0
      let u2 = 0
      let u3 = 0
      let u4 = 0
      const end = start[unit + 1]!
      for (let at = start[unit]!; at < end; at++) {
        const run = seenRun[at]!
        const amount = effective[at]! * weight[run]!
        const of = run * PRICED.length
        u0 += amount * takes[of]!
        u1 += amount * takes[of + 1]!
        u2 += amount * takes[of + 2]!
        u3 += amount * takes[of + 3]!
        u4 += amount * takes[of + 4]!
      }
      const count = unitStart[unit + 1]! - unitStart[unit]!
      const base = unit * ROWS
      adjust(base, u0, count, eta)
      adjust(base + 1, u1, count, eta)
      adjust(base + 2, u2, count, eta)
      adjust(base + SHARES, u3, count, eta)
      adjust(base + CUTS, u4, count, eta)
    }
  }
  const keep = (bound: number, at: Float64Array): number => {
    if (bound < best.bound) {
      best.bound = bound
      best.prices.set(at)
      best.margin.set(margin)
    }
    return bound
  }

  return {
    best,
    current: prices,
    room: effective,
    evaluate: (at) => {
      seen = all
      const capacityWorth = price(at)
      return keep(capacityWorth + serve(0), at)
    },
    step: (tau, eta) => {
      const isFull = eta > WIDE_STEP || steps % FULL_EVERY === 0
      steps++
      if (isFull) seen = all
      const capacityWorth = price(prices)
      const bound = capacityWorth + serve(tau)
      // Margins of a part of the columns prove nothing.
      if (isFull) {
        keep(bound, prices)
        if (eta <= WIDE_STEP) lookAtNear(tau, eta)
      }
      weigh(tau)
      adjustAll(eta)
    }
  }
}

/** First prices: each row as if it alone carried half of what bids exceed costs, spread over what there is. */
export function startPrices (program: Program, into: Float64Array): void {
  const { unitClasses, capacity, jobStart, jobClasses, bids, runStart, runOf, runBid, unitStart } = program
  let worth = 0
  for (let job = 0; job < jobClasses; job++) {
    if (runStart[job] === runStart[job + 1]) continue
    const run = runOf[runStart[job]!]!
    for (let rank = 0; rank < jobStart[job + 1]! - jobStart[job]!; rank++) worth += bids[runBid[run]! + rank]!
  }
  const total = new Float64Array(ROWS)
  for (let unit = 0; unit < unitClasses; unit++) for (let row = 0; row < ROWS; row++) total[row]! += capacity[unit * ROWS + row]! * (unitStart[unit + 1]! - unitStart[unit]!)
  for (let unit = 0; unit < unitClasses; unit++) {
    for (let row = 0; row < ROWS; row++) into[unit * ROWS + row] = total[row]! > 0 && (row <= SHARES || row === CUTS) ? 0.05 * worth / total[row]! : 0
  }
}
