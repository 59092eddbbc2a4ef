import { pricesOf, type Certificate } from './certificate.ts'
import { boundKernelOf, type Kernel } from './kernel/kernel.ts'
import { ROWS } from './kernel/share-rows.ts'
import type { Snapshot } from './problem.ts'
import { isTickJob } from './score.ts'

/**
 * protocol/certificate.md, Bound. An upper bound of the score of any feasible solution of the snapshot, nLILY: weak duality, so whatever the prices are, the
 * bound holds; good prices make it tight. Exact integers; 2^53 - 1 when it is larger, as scores are. O(classes of jobs and units + jobs).
 */
export function verifyBound (snapshot: Snapshot, certificate: Certificate): number {
  const kernel = boundKernelOf(snapshot)
  return boundAt(kernel, pricesOf(kernel, certificate))
}

/** The bound at prices per unit class and row of `boundKernelOf`: whole numbers, not negative, below 2^40. */
export function boundAt (kernel: Kernel, prices: Float64Array): number {
  const { jobs, units, columns, capacity, jobStart } = kernel
  let total = BigInt(jobs.narrowed.length)
  units.classes.forEach((unitClass, at) => {
    for (let row = 0; row < ROWS; row++) {
      const price = prices[at * ROWS + row] as number
      if (price > 0) total += BigInt(price) * BigInt(capacity[at * ROWS + row] as number) * BigInt(unitClass.units.length)
    }
  })
  const margins = marginsAt(kernel, prices)
  /** Runs of each class. */
  const runs: number[][] = jobs.classes.map(() => [])
  columns.runs.job.forEach((job, run) => runs[job]?.push(run))
  let sum = 0
  jobs.classes.forEach(({ row }, job) => {
    const own = isTickJob(row) ? [] : runs[job] as number[]
    for (let rank = 0; rank < (jobStart[job + 1] as number) - (jobStart[job] as number); rank++) {
      // A match counts a tick at least, one with a listed side no more.
      let most = 1
      for (const run of own) {
        const value = (columns.bids[(columns.runs.bid[run] as number) + rank] as number) - (margins[run] as number)
        if (value > most) most = value
      }
      if (most > SPILL) total += BigInt(most)
      else sum += most
      if (sum > SPILL) {
        total += BigInt(sum)
        sum = 0
      }
    }
  })
  total += BigInt(sum)
  return total > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(total)
}

/** Sums of doubles stay exact below it, whatever one job adds. */
const SPILL = 2 ** 51

/** Per run: the least that a job of it costs with its resources, over all of its columns. Never more than the truth. */
function marginsAt ({ columns, demand }: Kernel, prices: Float64Array): Float64Array {
  const margins = new Float64Array(columns.runs.job.length).fill(Number.MAX_SAFE_INTEGER)
  const { start, cost, run: runs, runs: { job } } = columns
  const rows = new Int32Array(ROWS)
  for (let unit = 0; unit + 1 < start.length; unit++) {
    let count = 0
    for (let row = 0; row < ROWS; row++) if ((prices[unit * ROWS + row] as number) > 0) rows[count++] = row
    for (let column = start[unit] as number; column < (start[unit + 1] as number); column++) {
      let sum = cost[column] as number
      const run = runs[column] as number
      const base = (job[run] as number) * ROWS
      for (let at = 0; at < count; at++) {
        const row = rows[at] as number
        sum += (prices[unit * ROWS + row] as number) * (demand[base + row] as number)
      }
      // A sum of doubles beyond 2^53 may be wrong, but not below it.
      if (sum < (margins[run] as number)) margins[run] = sum
    }
  }
  return margins
}
