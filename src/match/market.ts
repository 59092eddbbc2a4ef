import type { Resources } from '../wire/job-offer.ts'
import type { Hash } from '../wire/shapes.ts'
import { MatchError } from './errors.ts'
import type { JobRow, MatchRules, OfferRow, Snapshot } from './problem.ts'

/**
 * A snapshot in canonical order (rows by id) with what rows share: alternative offers of one unit have one capacity, offers of one account
 * one collateral, offers of the same job (account and job number) are one job. Rows carry the shared values, so a pair that is
 * admissible by its rows is feasible alone. A departed offer keeps its own capacity: what came after it is not its alternative.
 */
export interface Market {
  readonly epoch: number
  readonly atMs: number
  readonly rules: MatchRules
  readonly jobs: readonly JobRow[]
  readonly offers: readonly OfferRow[]
  readonly jobIndex: ReadonlyMap<Hash, number>
  readonly offerIndex: ReadonlyMap<Hash, number>
  /** Per job: which of `tasks` jobs it is. */
  readonly taskOf: Int32Array
  readonly tasks: number
  /** Per offer: its unit, its account. */
  readonly unitOf: Int32Array
  readonly accountOf: Int32Array
  /** Per unit: the component-wise smallest capacity of its offers that have not departed. */
  readonly units: readonly Resources[]
  /** Per account: the smallest free collateral of its offers, nLILY. */
  readonly accounts: readonly number[]
}

const byId = (left: { id: Hash }, right: { id: Hash }): number => left.id < right.id ? -1 : left.id > right.id ? 1 : 0
const known = new WeakMap<Snapshot, Market>()

/** The snapshot's market, built once per snapshot. Throws MatchError MATCH_SNAPSHOT for an id that occurs twice or an amount that is no safe integer. */
export function marketOf (snapshot: Snapshot): Market {
  let market = known.get(snapshot)
  if (market === undefined) {
    market = createMarket(snapshot)
    known.set(snapshot, market)
  }
  return market
}

function createMarket (snapshot: Snapshot): Market {
  const jobs = [...snapshot.jobs].sort(byId)
  const rows = [...snapshot.offers].sort(byId)
  const tasks = number(jobs, (job) => `${job.account}:${job.offer.jobNumber}`)
  const units = number(rows, (row) => `${row.account}:${row.offer.unit}`)
  const accounts = number(rows, (row) => row.account)
  const capacity: Resources[] = Array.from({ length: units.count }, () => ({ cpuMilli: Number.MAX_SAFE_INTEGER, memoryMiB: Number.MAX_SAFE_INTEGER, diskMiB: Number.MAX_SAFE_INTEGER }))
  const collateral: number[] = new Array<number>(accounts.count).fill(Number.MAX_SAFE_INTEGER)
  rows.forEach((row, at) => {
    assertAmount(row.freeCollateral, row.id)
    const unit = units.of[at] as number
    if (row.departed !== true) capacity[unit] = smallest(capacity[unit] as Resources, row.offer.capacity)
    const account = accounts.of[at] as number
    collateral[account] = Math.min(collateral[account] as number, row.freeCollateral)
  })
  for (const job of jobs) assertAmount(job.offer.limit, job.id)
  const offers = rows.map((row, at) => ({
    ...row,
    offer: row.departed === true ? row.offer : { ...row.offer, capacity: capacity[units.of[at] as number] as Resources },
    freeCollateral: collateral[accounts.of[at] as number] as number
  }))
  return {
    epoch: snapshot.epoch, atMs: snapshot.atMs, rules: snapshot.rules, jobs, offers,
    jobIndex: indexOf(jobs), offerIndex: indexOf(offers),
    taskOf: tasks.of, tasks: tasks.count, unitOf: units.of, accountOf: accounts.of, units: capacity, accounts: collateral
  }
}

function number<T> (rows: readonly T[], keyOf: (row: T) => string): { of: Int32Array, count: number } {
  const numbers = new Map<string, number>()
  const of = Int32Array.from(rows, (row) => {
    const key = keyOf(row)
    const found = numbers.get(key) ?? numbers.size
    numbers.set(key, found)
    return found
  })
  return { of, count: numbers.size }
}

function indexOf (rows: ReadonlyArray<{ id: Hash }>): Map<Hash, number> {
  const index = new Map<Hash, number>()
  rows.forEach((row, at) => {
    if (index.has(row.id)) throw new MatchError('MATCH_SNAPSHOT', `the snapshot holds ${row.id} twice`, { data: { id: row.id } })
    index.set(row.id, at)
  })
  return index
}

function smallest (left: Resources, right: Resources): Resources {
  return { cpuMilli: Math.min(left.cpuMilli, right.cpuMilli), memoryMiB: Math.min(left.memoryMiB, right.memoryMiB), diskMiB: Math.min(left.diskMiB, right.diskMiB) }
}

function assertAmount (amount: number, id: Hash): void {
  if (!Number.isSafeInteger(amount) || amount < 0) throw new MatchError('MATCH_SNAPSHOT', `an amount of ${id} is not a safe integer: ${amount}`, { data: { id, amount } })
}
