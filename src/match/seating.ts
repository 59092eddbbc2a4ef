import type { Hash } from '../wire/shapes.ts'
import type { Devices } from './devices.ts'
import type { Applicant, Estimate } from './estimate.ts'
import { copiesOf } from './groups.ts'
import type { Market } from './market.ts'
import type { JobRow, Match, OfferRow } from './problem.ts'
import { createRest } from './rest.ts'
import { welfareOf } from './score.ts'

/** A job that has a place. `isFixed`: it stays whatever comes. */
export interface Seat { readonly applicant: Applicant, readonly offerAt: number, readonly devices: Devices, readonly welfare: number, readonly surplus: number, readonly isFixed: boolean }

/** Who sits where, and what that leaves of units, devices, collateral and job numbers: always a feasible solution. */
export interface Seating {
  has: (id: Hash) => boolean
  of: (id: Hash) => readonly Seat[]
  on: (unit: number) => ReadonlySet<Seat>
  isTaken: (row: JobRow) => boolean
  seatOn: (applicant: Applicant, offerAt: number, devices: Devices, isFixed?: boolean) => Seat
  sit: (seat: Seat) => void
  rise: (seat: Seat) => void
  /** Cheap, and never false for a pair that fits. */
  mayFit: (applicant: Applicant, unit: number) => boolean
  /** A seat that is free and admissible, if there is one. */
  find: (applicant: Applicant, offerAt: number) => Seat | undefined
  /** What the unit has: CPU, memory, disk, and devices that are not full. */
  roomOf: (unit: number) => readonly number[]
  matches: () => Match[]
}

export function createSeating (market: Market, { costOn }: Estimate): Seating {
  const rest = createRest(market)
  const seats = new Map<Hash, Seat[]>()
  const ofUnit: Array<Set<Seat>> = market.units.map(() => new Set())
  const taken = new Set<string>()
  const taskOf = ({ account, offer: { jobNumber } }: JobRow, copy = 0): string => `${account}:${jobNumber + copy}`
  const seatOn = (applicant: Applicant, offerAt: number, devices: Devices, isFixed = false): Seat => {
    const offer = market.offers[offerAt] as OfferRow
    return { applicant, offerAt, devices, isFixed, welfare: welfareOf(applicant.row, offer, market.rules, devices), surplus: applicant.bid - costOn(applicant, offerAt) }
  }
  return {
    has: (id) => seats.has(id),
    of: (id) => seats.get(id) ?? [],
    on: (unit) => ofUnit[unit] as Set<Seat>,
    isTaken: (row) => taken.has(taskOf(row)),
    seatOn,
    sit: (seat) => {
      const { applicant: { id, row }, offerAt, devices } = seat
      rest.move(row, offerAt, devices, 1)
      const own = seats.get(id)
      if (own === undefined) seats.set(id, [seat])
      else own.push(seat)
      for (let copy = 0; copy < copiesOf(row); copy++) taken.add(taskOf(row, copy))
      ofUnit[market.unitOf[offerAt] as number]?.add(seat)
    },
    rise: (seat) => {
      const { applicant: { id, row }, offerAt, devices } = seat
      rest.move(row, offerAt, devices, -1)
      seats.delete(id)
      for (let copy = 0; copy < copiesOf(row); copy++) taken.delete(taskOf(row, copy))
      ofUnit[market.unitOf[offerAt] as number]?.delete(seat)
    },
    mayFit: ({ demand, gpus, leastShare }, unit) => {
      const { free, shares } = rest
      if ((demand[0] as number) > (free[unit * 3] as number) || (demand[1] as number) > (free[unit * 3 + 1] as number) || (demand[2] as number) > (free[unit * 3 + 2] as number)) return false
      if (gpus === 0) return true
      let left = gpus
      for (const share of shares[unit] as readonly number[]) if (share >= leastShare && --left === 0) return true
      return false
    },
    find: (applicant, offerAt) => {
      const devices = taken.has(taskOf(applicant.row)) ? undefined : rest.roomFor(applicant.row, offerAt)
      return devices === undefined ? undefined : seatOn(applicant, offerAt, devices)
    },
    roomOf: (unit) => [...rest.free.subarray(unit * 3, unit * 3 + 3), (rest.shares[unit] as readonly number[]).filter((share) => share > 0).length],
    matches: () => [...seats.values()].flat().map(({ applicant: { id }, offerAt, devices }) => ({ job: id, offer: (market.offers[offerAt] as OfferRow).id, devices }))
  }
}
