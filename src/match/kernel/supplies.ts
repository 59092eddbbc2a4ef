import { BP } from '../integers.ts'

/** What columns stand for beside their jobs: devices of one kind of one alternative of a unit class. Those of unit class u are start[u] to start[u + 1] - 1. */
export interface Supplies {
  readonly start: Int32Array
  /** Columns of supply s are first[s] to first[s + 1] - 1. */
  readonly first: Int32Array
  /** Place of the alternative in the unit class's offers. */
  readonly alternative: Int32Array
  /** Devices that may serve a job, as bits: places 0 to 31, 32 to 63. */
  readonly low: Int32Array
  readonly high: Int32Array
  /** Most that the offer locks for one job; `BOUNDS_ONLY` where columns only bound pairs. */
  readonly bound: Float64Array
}

/** `Supplies.bound` below what any job locks. */
export const BOUNDS_ONLY = -1

/** One supply, as it is added. */
export interface Kind { readonly alternative: number, readonly low: number, readonly high: number, readonly bound: number }

/** Supplies in the making, in the order of their columns. */
export interface SupplyList {
  /** Begins the next unit class. */
  nextUnit: () => void
  /** Adds one whose columns begin there; its place among those of the unit class. */
  add: (kind: Kind, column: number) => number
  /** `columns`: how many there are. */
  all: (columns: number) => Supplies
}

export function createSupplies (): SupplyList {
  const start: number[] = []
  const first: number[] = []
  const kinds: Kind[] = []
  return {
    nextUnit: () => { start.push(kinds.length) },
    add: (kind, column) => {
      first.push(column)
      return kinds.push(kind) - 1 - (start.at(-1) ?? 0)
    },
    all: (columns) => ({
      start: Int32Array.from([...start, kinds.length]), first: Int32Array.from([...first, columns]), alternative: Int32Array.from(kinds, ({ alternative }) => alternative),
      low: Int32Array.from(kinds, ({ low }) => low), high: Int32Array.from(kinds, ({ high }) => high), bound: Float64Array.from(kinds, ({ bound }) => bound)
    })
  }
}

/** The supply of a column of the unit class: mostly one of three. */
export function supplyOfColumn ({ start, first }: Pick<Supplies, 'start' | 'first'>, unitClass: number, column: number): number {
  let supply = start[unitClass]!
  while (first[supply + 1]! <= column) supply++
  return supply
}

/** Most that is locked for a job whose limit is at most `top`; Infinity beyond the bound. Rounded up by more than a double can be wrong by. */
export function lockFor (top: number, ask: number, reference: number, collateralBp: number, bound: number): number {
  const locked = Math.ceil(Math.min(top, Math.max(ask, reference)) * collateralBp / BP * (1 + 2 ** -50)) + 1
  return locked > bound ? Number.POSITIVE_INFINITY : locked
}
