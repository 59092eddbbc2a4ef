import { PLAIN_ROWS, ROWS, type Program } from './program.ts'

/** Temperature, as a share of a price, and width of a step; from the first to the last step they fall geometrically. */
export interface Schedule { readonly tau: readonly [number, number], readonly eta: readonly [number, number] }

export const DUAL_SCHEDULE: Schedule = { tau: [0.1, 0.0005], eta: [0.6, 0.004] }
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
/** Every so many steps all columns are looked at; between, those within this share of their run's margin, or within the temperature. */
const FULL_EVERY = 6
const NEAR = 0.05
const NEAR_STEPS = 4
const WIDE_STEP = 0.1
/** Beyond so many temperatures nothing counts. */
const CUT = 10
const TINY = 1e-30

/** Room for one search of prices; nothing is allocated while it steps. */
export function createDuals (program: Program): { best: Duals, step: (tau: number, eta: number) => void, evaluate: (prices: Float64Array) => number, current: Float64Array } {
  const { jobClasses, unitClasses, runs, jobStart, demand, capacity, runStart, runBid, bids, columnStart, columnJob, columnRun, columnCost, unitStart } = program
  const prices = new Float64Array(unitClasses * ROWS)
  let steps = 0
  const margin = new Float64Array(runs)
  const effective = new Float64Array(columnJob.length)
  const weight = new Float64Array(runs)
  const wanted = new Float64Array(runs)
  const usage = new Float64Array(ROWS)
  const best: Duals = { prices: new Float64Array(prices.length), bound: Number.POSITIVE_INFINITY, margin: new Float64Array(runs) }

  /** Columns that steps look at, unit class by unit class. */
  const near = new Int32Array(columnJob.length)
  const nearStart = Int32Array.from(columnStart)
  for (let column = 0; column < near.length; column++) near[column] = column
  const lookAtAll = (): void => {
    nearStart.set(columnStart)
    for (let column = 0; column < near.length; column++) near[column] = column
  }
  const lookAtNear = (tau: number, eta: number): void => {
    const reach = 1 + Math.max(NEAR, CUT * tau, NEAR_STEPS * eta)
    let count = 0
    for (let unit = 0; unit < unitClasses; unit++) {
      nearStart[unit] = count
      for (let column = columnStart[unit]!; column < columnStart[unit + 1]!; column++) {
        if (effective[column]! <= margin[columnRun[column]!]! * reach) near[count++] = column
      }
    }
    nearStart[unitClasses] = count
  }

  /** Effective prices of the columns looked at and margins of all runs; the bound's part for capacity. */
  const price = (prices: Float64Array): number => {
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
      for (let at = nearStart[unit]!; at < nearStart[unit + 1]!; at++) {
        const column = near[at]!
        const of = columnJob[column]! * ROWS
        let sum = columnCost[column]! + p0 * demand[of]! + p1 * demand[of + 1]! + p2 * demand[of + 2]!
        if (demand[of + SHARES]! > 0) sum += p3 * demand[of + SHARES]! + p4 * demand[of + CUTS]!
        effective[column] = sum
        const run = columnRun[column]!
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
      for (let run = first; run < last; run++) wanted[run] = 0
      for (let rank = 0; rank < count; rank++) {
        let top = Number.NEGATIVE_INFINITY
        let topRun = first
        for (let run = first; run < last; run++) {
          const value = bids[runBid[run]! + rank]! - margin[run]!
          if (value > top) {
            top = value
            topRun = run
          }
        }
        total += top > 1 ? top : 1
        if (tau === 0) continue
        const heat = tau * margin[topRun]! + TINY
        const z = top / heat
        if (z < -CUT) break
        const part = z > CUT ? 1 : 1 / (1 + Math.exp(-z))
        if (last - first === 1) {
          wanted[first]! += part
          continue
        }
        let sum = 0
        for (let run = first; run < last; run++) {
          const behind = (top - bids[runBid[run]! + rank]! + margin[run]!) / heat
          if (behind < CUT) sum += Math.exp(-behind)
        }
        for (let run = first; run < last; run++) {
          const behind = (top - bids[runBid[run]! + rank]! + margin[run]!) / heat
          if (behind < CUT) wanted[run]! += part * Math.exp(-behind) / sum
        }
      }
    }
    return total
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
    evaluate: (at) => {
      lookAtAll()
      const capacityWorth = price(at)
      return keep(capacityWorth + serve(0), at)
    },
    step: (tau, eta) => {
      const isFull = eta > WIDE_STEP || steps % FULL_EVERY === 0
      steps++
      if (isFull) lookAtAll()
      const capacityWorth = price(prices)
      const bound = capacityWorth + serve(tau)
      // Margins of a part of the columns prove nothing.
      if (isFull) {
        keep(bound, prices)
        if (eta <= WIDE_STEP) lookAtNear(tau, eta)
      }
      weight.fill(0)
      for (let unit = 0; unit < unitClasses; unit++) {
        const count = unitStart[unit + 1]! - unitStart[unit]!
        for (let at = nearStart[unit]!; at < nearStart[unit + 1]!; at++) {
          const column = near[at]!
          const run = columnRun[column]!
          const behind = (effective[column]! - margin[run]!) / (tau * margin[run]! + TINY)
          const part = behind < CUT ? count * Math.exp(-behind) : 0
          effective[column] = part
          weight[run]! += part
        }
      }
      for (let run = 0; run < runs; run++) weight[run] = weight[run]! > 0 ? wanted[run]! / weight[run]! : 0
      for (let unit = 0; unit < unitClasses; unit++) {
        usage.fill(0)
        for (let at = nearStart[unit]!; at < nearStart[unit + 1]!; at++) {
          const column = near[at]!
          const part = effective[column]!
          if (part === 0) continue
          const amount = part * weight[columnRun[column]!]!
          if (amount < 1e-9) continue
          const of = columnJob[column]! * ROWS
          for (let row = 0; row <= SHARES; row++) usage[row]! += amount * demand[of + row]!
          usage[CUTS]! += amount * demand[of + CUTS]!
        }
        const count = unitStart[unit + 1]! - unitStart[unit]!
        const base = unit * ROWS
        for (let row = 0; row < ROWS; row++) {
          const room = capacity[base + row]! * count
          if (room <= 0) continue
          const excess = Math.min(2, usage[row]! / room - 1)
          prices[base + row]! *= Math.exp(eta * excess)
        }
      }
    }
  }
}

/** First prices: each row as if it alone carried half of what bids exceed costs, spread over what there is. */
export function startPrices (program: Program, into: Float64Array): void {
  const { unitClasses, capacity, jobStart, jobClasses, bids, runStart, runBid, unitStart } = program
  let worth = 0
  for (let job = 0; job < jobClasses; job++) {
    const run = runStart[job]!
    if (run === runStart[job + 1]!) continue
    for (let rank = 0; rank < jobStart[job + 1]! - jobStart[job]!; rank++) worth += bids[runBid[run]! + rank]!
  }
  const total = new Float64Array(ROWS)
  for (let unit = 0; unit < unitClasses; unit++) for (let row = 0; row < ROWS; row++) total[row]! += capacity[unit * ROWS + row]! * (unitStart[unit + 1]! - unitStart[unit]!)
  for (let unit = 0; unit < unitClasses; unit++) {
    for (let row = 0; row < ROWS; row++) into[unit * ROWS + row] = total[row]! > 0 && (row <= SHARES || row === CUTS) ? 0.05 * worth / total[row]! : 0
  }
}
