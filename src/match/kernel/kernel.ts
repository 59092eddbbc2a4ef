import type { Resources } from '../../wire/job-offer.ts'
import { marketOf, type Market } from '../market.ts'
import type { Snapshot } from '../problem.ts'
import { widened } from '../widest.ts'
import { columnsOf, type Columns, type Making } from './columns.ts'
import { jobClassesOf, type JobClasses } from './job-classes.ts'
import { createJobKeys, type JobKeys } from './job-keys.ts'
import { PLAIN_ROWS, ROWS, shareInRow } from './share-rows.ts'
import { unitClassesOf, type UnitClasses } from './unit-classes.ts'

/** A market as classes and columns in typed arrays: what the price engine and the bound compute on. */
export interface Kernel {
  readonly market: Market
  readonly jobs: JobClasses
  readonly units: UnitClasses
  readonly columns: Columns
  /** Per job class: its first place among all jobs in classes; one more than classes. */
  readonly jobStart: Int32Array
  /** Per job class and row: what one job takes. Per unit class and row: what one unit has. */
  readonly demand: Float64Array
  readonly capacity: Float64Array
}

/** A kernel and what the next one may be made of. */
interface Built { readonly kernel: Kernel, readonly keys: JobKeys, readonly making: Making }

const known = new WeakMap<Market, Built>()

/**
 * The snapshot's kernel, built once: what engines solve, so that they may use any alternative. `before`: an earlier snapshot of the same book; where its kernel is
 * known, what both have is taken over. Throws what `marketOf` throws.
 */
export function kernelOf (snapshot: Snapshot, before?: Snapshot): Kernel {
  return kernelOfMarket(marketOf(snapshot, before), before === undefined ? undefined : marketOf(before))
}

/** The kernel that bounds are computed on: units have the most that a solution can have of them. The same as engines' unless alternatives differ in that. */
export function boundKernelOf (snapshot: Snapshot): Kernel {
  return kernelOfMarket(widened(marketOf(snapshot)))
}

function kernelOfMarket (market: Market, before?: Market): Kernel {
  let built = known.get(market)
  if (built === undefined) {
    const last = before?.rules === market.rules ? known.get(before) : undefined
    built = createKernel(market, last)
    known.set(market, built)
  }
  return built.kernel
}

function createKernel (market: Market, before: Built | undefined): Built {
  const valid = market.offers.filter(({ offer }) => offer.validUntil > market.atMs)
  const accounts = before !== undefined && market.offers === before.kernel.market.offers ? before.keys.interests.accounts : new Map(market.offers.map(({ account }, at) => [account, market.accountOf[at] as number]))
  const keys = createJobKeys(market, {
    accounts, modules: new Set(valid.flatMap(({ offer }) => offer.modules)),
    starts: [...new Set(valid.map(({ offer }) => Math.max(market.atMs, offer.freeFrom)))].sort((left, right) => left - right)
  }, before === undefined ? undefined : { market: before.kernel.market, keys: before.keys })
  const jobs = jobClassesOf(market, keys)
  const units = before !== undefined && haveSameUnits(market, keys, before) ? before.kernel.units : unitClassesOf(market, (account) => keys.mediators.has(account))

  const jobStart = new Int32Array(jobs.classes.length + 1)
  const demand = new Float64Array(jobs.classes.length * ROWS)
  jobs.classes.forEach(({ row: { offer }, jobs: members }, at) => {
    jobStart[at + 1] = (jobStart[at] as number) + members.length
    fill(demand, at, offer.resources, offer.gpus)
  })
  const capacity = new Float64Array(units.classes.length * ROWS)
  units.classes.forEach(({ units: members, shares }, at) => { fill(capacity, at, market.units[(members[0] as { unit: number }).unit] as Resources, shares.map((shareBp) => ({ shareBp }))) })
  const making = columnsOf(market, jobs, units, before?.making)
  return { kernel: { market, jobs, units, columns: making.columns, jobStart, demand, capacity }, keys, making }
}

/** Whether units fall into the same classes: the very same offers, valid as they were, and of the same accounts that anybody trusts. */
function haveSameUnits (market: Market, { mediators }: JobKeys, { kernel, keys }: Built): boolean {
  const { atMs } = kernel.market
  return market.offers === kernel.market.offers &&
    market.offers.every(({ account, offer: { validUntil } }) => validUntil > market.atMs === validUntil > atMs && mediators.has(account) === keys.mediators.has(account))
}

function fill (into: Float64Array, at: number, { cpuMilli, memoryMiB, diskMiB }: Resources, shares: ReadonlyArray<{ readonly shareBp: number }>): void {
  const first = at * ROWS
  into[first] = cpuMilli
  into[first + 1] = memoryMiB
  into[first + 2] = diskMiB
  for (let row = PLAIN_ROWS; row < ROWS; row++) {
    let sum = 0
    for (const { shareBp } of shares) sum += shareInRow(row - PLAIN_ROWS, shareBp)
    into[first + row] = sum
  }
}
