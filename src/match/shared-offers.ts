import type { Resources } from '../wire/job-offer.ts'
import type { Sorted } from './by-id.ts'
import type { OfferRow } from './problem.ts'
import { FULL_REPUTATION } from './score.ts'

/** Offers in canonical order with what they share. */
export interface SharedOffers {
  readonly offers: readonly OfferRow[]
  /** The same offers with the capacity and the free shares that each states itself. */
  readonly stated: readonly OfferRow[]
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

/** Rows as they came, in order, and what was made of them. */
export interface Sharing { readonly sorted: Sorted<OfferRow>, readonly shared: SharedOffers }

/** What was made of the rows before, when they are the very same. */
export function sharingOf (sorted: Sorted<OfferRow>, before: Sharing | undefined): Sharing {
  const { rows } = sorted
  if (before?.sorted.rows.length === rows.length && before.sorted.rows.every((row, at) => row === rows[at])) return before
  return { sorted, shared: share(rows) }
}

function share (rows: readonly OfferRow[]): SharedOffers {
  const units = number(rows, (row) => `${row.account}:${row.offer.unit}`)
  const accounts = number(rows, (row) => row.account)
  const capacity: Resources[] = Array.from({ length: units.count }, () => ({ cpuMilli: Number.MAX_SAFE_INTEGER, memoryMiB: Number.MAX_SAFE_INTEGER, diskMiB: Number.MAX_SAFE_INTEGER }))
  const devices: number[][] = Array.from({ length: units.count }, () => [])
  const collateral: number[] = new Array<number>(accounts.count).fill(Number.MAX_SAFE_INTEGER)
  const reputation: number[] = new Array<number>(accounts.count).fill(FULL_REPUTATION)
  rows.forEach((row, at) => {
    const unit = units.of[at] as number
    capacity[unit] = smallest(capacity[unit] as Resources, row.offer.capacity)
    const free = devices[unit] as number[]
    row.offer.gpus.forEach(({ shareBp }, place) => { free[place] = Math.min(free[place] ?? shareBp, shareBp) })
    const account = accounts.of[at] as number
    collateral[account] = Math.min(collateral[account] as number, row.freeCollateral)
    reputation[account] = Math.min(reputation[account] as number, row.reputationBp ?? FULL_REPUTATION)
  })
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
  return { offers, stated, unitOf: units.of, accountOf: accounts.of, units: capacity, devices, accounts: collateral }
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

/** The smaller of each resource. */
function smallest (left: Resources, right: Resources): Resources {
  return { cpuMilli: Math.min(left.cpuMilli, right.cpuMilli), memoryMiB: Math.min(left.memoryMiB, right.memoryMiB), diskMiB: Math.min(left.diskMiB, right.diskMiB) }
}
