import type { Resources } from '../wire/job-offer.ts'
import type { Address, Hash } from '../wire/shapes.ts'
import { sortedById } from './by-id.ts'
import { MatchError } from './errors.ts'
import { copiesOf, groupsOf, type Groups } from './groups.ts'
import type { JobRow, MatchRules, OfferRow, Snapshot } from './problem.ts'
import { FULL_REPUTATION } from './score.ts'

/**
 * A snapshot in canonical order (rows by id) with what rows share: alternative offers of one unit have one capacity and one free share of each device, offers
 * of one account one collateral and reputation, jobs of one account that share a number exclude each other. Rows carry the shared values, so a pair that is
 * admissible by its rows is feasible alone, a job of an incomplete group with none. So engines that fill one alternative leave room for another.
 */
export interface Market extends Groups {
  readonly epoch: number
  readonly atMs: number
  readonly rules: MatchRules
  readonly jobs: readonly JobRow[]
  readonly offers: readonly OfferRow[]
  /** The same offers with the capacity and the free shares that each states itself. */
  readonly stated: readonly OfferRow[]
  readonly jobIndex: ReadonlyMap<Hash, number>
  readonly offerIndex: ReadonlyMap<Hash, number>
  /** Per job: which of the `tasks` numbers of all accounts it has: one for each copy. Jobs that share one exclude each other. */
  readonly tasksOf: ReadonlyArray<readonly number[]>
  readonly tasks: number
  /** Per job: how many providers it needs. */
  readonly copies: Int32Array
  /** Per offer: its unit, its account. */
  readonly unitOf: Int32Array
  readonly accountOf: Int32Array
  /** Per unit: the component-wise smallest capacity of its offers. */
  readonly units: readonly Resources[]
  /** Per unit and place: the smallest free share of that device among its offers, bp. */
  readonly devices: ReadonlyArray<readonly number[]>
  /** Per account: the smallest free collateral of its offers, nLILY. */
  readonly accounts: readonly number[]
}

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
  const sorted = sortedById(snapshot.jobs)
  const rows = sortedById(snapshot.offers)
  const units = number(rows, (row) => `${row.account}:${row.offer.unit}`)
  const accounts = number(rows, (row) => row.account)
  const capacity: Resources[] = Array.from({ length: units.count }, () => ({ cpuMilli: Number.MAX_SAFE_INTEGER, memoryMiB: Number.MAX_SAFE_INTEGER, diskMiB: Number.MAX_SAFE_INTEGER }))
  const devices: number[][] = Array.from({ length: units.count }, () => [])
  const collateral: number[] = new Array<number>(accounts.count).fill(Number.MAX_SAFE_INTEGER)
  const reputation: number[] = new Array<number>(accounts.count).fill(FULL_REPUTATION)
  rows.forEach((row, at) => {
    assertAmount(row.freeCollateral, row.id)
    const unit = units.of[at] as number
    capacity[unit] = smallest(capacity[unit] as Resources, row.offer.capacity)
    const free = devices[unit] as number[]
    row.offer.gpus.forEach(({ shareBp }, place) => { free[place] = Math.min(free[place] ?? shareBp, shareBp) })
    const account = accounts.of[at] as number
    collateral[account] = Math.min(collateral[account] as number, row.freeCollateral)
    reputation[account] = Math.min(reputation[account] as number, row.reputationBp ?? FULL_REPUTATION)
  })
  for (const job of sorted) assertAmount(job.offer.limit, job.id)
  const groups = groupsOf(sorted)
  const jobs = groups.incomplete.size === 0 ? sorted : sorted.map((job, at) => groups.incomplete.has(at) ? { ...job, incomplete: true } : job)
  const offersOf = new Int32Array(units.count)
  for (const unit of units.of) offersOf[unit] = (offersOf[unit] as number) + 1
  // Rows that share nothing stay the same objects: what is known of them from earlier epochs holds.
  const stated = rows.map((row, at): OfferRow => {
    const shared = { freeCollateral: collateral[accounts.of[at] as number] as number, reputationBp: reputation[accounts.of[at] as number] as number }
    return row.freeCollateral === shared.freeCollateral && row.reputationBp === shared.reputationBp ? row : { ...row, ...shared }
  })
  const offers = stated.map((row, at) => {
    const unit = units.of[at] as number
    if (offersOf[unit] === 1) return row
    return { ...row, offer: { ...row.offer, capacity: capacity[unit] as Resources, gpus: row.offer.gpus.map((device, place) => ({ ...device, shareBp: devices[unit]?.[place] as number })) } }
  })
  return {
    epoch: snapshot.epoch, atMs: snapshot.atMs, rules: snapshot.rules, jobs, offers, stated,
    jobIndex: indexOf(jobs), offerIndex: indexOf(offers),
    ...numbersOf(jobs), ...groups,
    unitOf: units.of, accountOf: accounts.of, units: capacity, devices, accounts: collateral
  }
}

function number<T> (rows: readonly T[], keyOf: (row: T) => string): { of: Int32Array, count: number } {
  const numbers = new Map<string, number>()
  const of = new Int32Array(rows.length)
  rows.forEach((row, at) => {
    const key = keyOf(row)
    const found = numbers.get(key)
    if (found === undefined) numbers.set(key, numbers.size)
    of[at] = found ?? numbers.size - 1
  })
  return { of, count: numbers.size }
}

/** Numbers each job number that some account uses. Most accounts have one job, whose numbers are compared with nobody's. */
function numbersOf (jobs: readonly JobRow[]): Pick<Market, 'tasksOf' | 'tasks' | 'copies'> {
  /** Per account: its only job, or the numbers of all of them. */
  const ofAccount = new Map<Address, number | Map<number, number>>()
  const tasksOf: number[][] = []
  const copies = new Int32Array(jobs.length)
  let tasks = 0
  jobs.forEach((job, at) => {
    const count = copies[at] = copiesOf(job)
    const others = ofAccount.get(job.account)
    if (others === undefined) {
      ofAccount.set(job.account, at)
      tasksOf.push(count === 1 ? [tasks++] : Array.from({ length: count }, () => tasks++))
      return
    }
    const numbers = typeof others === 'number' ? new Map((tasksOf[others] as number[]).map((task, copy) => [(jobs[others] as JobRow).offer.jobNumber + copy, task])) : others
    ofAccount.set(job.account, numbers)
    tasksOf.push(Array.from({ length: count }, (_, copy) => {
      const own = job.offer.jobNumber + copy
      const task = numbers.get(own) ?? tasks++
      numbers.set(own, task)
      return task
    }))
  })
  return { tasksOf, tasks, copies }
}

function indexOf (rows: ReadonlyArray<{ id: Hash }>): Map<Hash, number> {
  const index = new Map<Hash, number>()
  rows.forEach((row, at) => {
    if (index.has(row.id)) throw new MatchError('MATCH_SNAPSHOT', `the snapshot holds ${row.id} twice`, { data: { id: row.id } })
    index.set(row.id, at)
  })
  return index
}

/** The smaller of each resource. */
function smallest (left: Resources, right: Resources): Resources {
  return { cpuMilli: Math.min(left.cpuMilli, right.cpuMilli), memoryMiB: Math.min(left.memoryMiB, right.memoryMiB), diskMiB: Math.min(left.diskMiB, right.diskMiB) }
}

function assertAmount (amount: number, id: Hash): void {
  if (!Number.isSafeInteger(amount) || amount < 0) throw new MatchError('MATCH_SNAPSHOT', `an amount of ${id} is not a safe integer: ${amount}`, { data: { id, amount } })
}
