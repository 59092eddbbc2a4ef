import type { Hash } from '../wire/shapes.ts'
import type { Devices } from './devices.ts'
import type { Warm } from './engine.ts'
import { MatchError } from './errors.ts'
import { ASKS, createEstimate, type Applicant } from './estimate.ts'
import { copiesOf } from './groups.ts'
import { kernelOf } from './kernel/kernel.ts'
import type { JobRow, OfferRow, Snapshot, Solution } from './problem.ts'
import { createRest } from './rest.ts'
import { isTickJob, isTickOffer, welfareOf } from './score.ts'
import { createWaiting } from './waiting.ts'

/** A solved book under change: jobs come and go one by one, and the solution stays feasible on a snapshot with the jobs of now. Offers stay as they are. */
export interface Session {
  /**
   * A job comes: it is placed where it costs least, or in the place of jobs that count less together. False: it waits for room. Jobs with replicas and of groups
   * are left to the next whole solve. Throws MatchError MATCH_SNAPSHOT for an id that the session holds.
   */
  add: (row: JobRow) => boolean
  /** A job is gone, with its copies and the rest of its group; what waits takes the room. False: the session does not hold it. */
  remove: (id: Hash) => boolean
  solution: () => Solution
}

interface Seat { readonly applicant: Applicant, readonly offerAt: number, readonly devices: Devices, readonly welfare: number, readonly surplus: number, readonly isFixed: boolean }

/** Units that a job without room tries to make some on, and jobs that are tried for room that was made. */
const EVICTIONS = 8
const REFILLS = 32

/** Opens a session on a solution of the snapshot, which must be feasible, and the prices found with it; without prices resources are free. */
export function openSession (snapshot: Snapshot, { matches, certificate = { entries: [] } }: Warm): Session {
  const kernel = kernelOf(snapshot)
  const { market } = kernel
  const rest = createRest(market)
  const { applicantOf, costOn, offers, asks } = createEstimate(kernel, certificate)
  const seats = new Map<Hash, Seat[]>()
  const ofUnit: Array<Set<Seat>> = market.units.map(() => new Set())
  const offersOf: number[][] = market.units.map(() => [])
  for (const offer of offers) (offersOf[market.unitOf[offer] as number] as number[]).push(offer)
  const waiting = createWaiting(market.jobs.length)
  const taken = new Set<string>()
  const taskOf = ({ account, offer: { jobNumber } }: JobRow, copy = 0): string => `${account}:${jobNumber + copy}`
  const cost = new Float64Array(market.offers.length)

  const sit = (seat: Seat): void => {
    const { applicant: { id, row }, offerAt, devices } = seat
    rest.move(row, offerAt, devices, 1)
    const own = seats.get(id)
    if (own === undefined) seats.set(id, [seat])
    else own.push(seat)
    for (let copy = 0; copy < copiesOf(row); copy++) taken.add(taskOf(row, copy))
    ofUnit[market.unitOf[offerAt] as number]?.add(seat)
  }
  const rise = (seat: Seat): void => {
    const { applicant: { id, row }, offerAt, devices } = seat
    rest.move(row, offerAt, devices, -1)
    seats.delete(id)
    for (let copy = 0; copy < copiesOf(row); copy++) taken.delete(taskOf(row, copy))
    ofUnit[market.unitOf[offerAt] as number]?.delete(seat)
  }
  const seatOn = (applicant: Applicant, offerAt: number, devices: Devices, isFixed = false): Seat => {
    const offer = market.offers[offerAt] as OfferRow
    return { applicant, offerAt, devices, isFixed, welfare: welfareOf(applicant.row, offer, market.rules, devices), surplus: applicant.bid - costOn(applicant, offerAt) }
  }
  /** Cheap, and never false for a pair that fits. */
  const mayFit = ({ demand, gpus, leastShare }: Applicant, unit: number): boolean => {
    const { free, shares } = rest
    if ((demand[0] as number) > (free[unit * 3] as number) || (demand[1] as number) > (free[unit * 3 + 1] as number) || (demand[2] as number) > (free[unit * 3 + 2] as number)) return false
    if (gpus === 0) return true
    let left = gpus
    for (const share of shares[unit] as readonly number[]) if (share >= leastShare && --left === 0) return true
    return false
  }
  const tryOn = (applicant: Applicant, offerAt: number): Seat | undefined => {
    const devices = taken.has(taskOf(applicant.row)) ? undefined : rest.roomFor(applicant.row, offerAt)
    return devices === undefined ? undefined : seatOn(applicant, offerAt, devices)
  }
  /** Offers of the costs in `cost`, the least first. */
  const cheapestFirst = (passes: (offerAt: number) => boolean): number[] => {
    const found: number[] = []
    for (const offer of offers) if ((cost[offer] as number) < Number.POSITIVE_INFINITY && passes(offer)) found.push(offer)
    return found.sort((left, right) => (cost[left] as number) - (cost[right] as number))
  }
  /** Takes free room, the cheapest first. Leaves the job's costs in `cost`. */
  const settle = (applicant: Applicant): boolean => {
    for (const offer of offers) cost[offer] = costOn(applicant, offer)
    for (const offer of cheapestFirst((at) => mayFit(applicant, market.unitOf[at] as number))) {
      const seat = tryOn(applicant, offer)
      if (seat === undefined) continue
      sit(seat)
      return true
    }
    return false
  }
  /** Lets jobs of the unit go, those that earn least first, until there is room; takes all back unless the new one counts more than they. */
  const evictFor = (applicant: Applicant, offerAt: number): Seat[] | undefined => {
    const out: Seat[] = []
    let lost = 0
    for (const seat of [...ofUnit[market.unitOf[offerAt] as number] as Set<Seat>].sort((left, right) => left.surplus - right.surplus)) {
      if (seat.isFixed) continue
      rise(seat)
      out.push(seat)
      lost += seat.welfare
      const found = mayFit(applicant, market.unitOf[offerAt] as number) ? tryOn(applicant, offerAt) : undefined
      if (found !== undefined && found.welfare > lost) {
        sit(found)
        return out
      }
      if (lost >= applicant.bid) break
    }
    for (const seat of out) sit(seat)
    return undefined
  }
  const refill = (unit: number): void => {
    const { free, shares } = rest
    const found: Array<{ applicant: Applicant, offer: number, surplus: number }> = []
    const room = [...free.subarray(unit * 3, unit * 3 + 3), (shares[unit] as readonly number[]).filter((share) => share > 0).length]
    for (const offer of offersOf[unit] as readonly number[]) {
      for (const applicant of waiting.within(room, asks.subarray(offer * ASKS, (offer + 1) * ASKS))) {
        const surplus = mayFit(applicant, unit) ? applicant.bid - costOn(applicant, offer) : Number.NEGATIVE_INFINITY
        if (surplus > Number.NEGATIVE_INFINITY) found.push({ applicant, offer, surplus })
      }
    }
    for (const { applicant, offer } of found.sort((left, right) => right.surplus - left.surplus).slice(0, REFILLS)) {
      const seat = waiting.has(applicant.id) && mayFit(applicant, unit) ? tryOn(applicant, offer) : undefined
      if (seat === undefined) continue
      waiting.delete(applicant.id)
      sit(seat)
    }
  }
  const add = (row: JobRow): boolean => {
    if (seats.has(row.id) || waiting.has(row.id)) throw new MatchError('MATCH_SNAPSHOT', `the session holds ${row.id} already`, { data: { id: row.id } })
    const applicant = applicantOf(row)
    if (isBundled(row)) return false
    if (settle(applicant)) return true
    if (!taken.has(taskOf(row))) {
      for (const offer of cheapestFirst((at) => (cost[at] as number) < applicant.bid).slice(0, EVICTIONS)) {
        const out = evictFor(applicant, offer)
        if (out === undefined) continue
        for (const seat of out) if (!settle(seat.applicant)) waiting.set(seat.applicant)
        refill(market.unitOf[offer] as number)
        return true
      }
    }
    waiting.set(applicant)
    return false
  }

  for (const { job, offer, devices } of matches) {
    const row = market.jobs[market.jobIndex.get(job) ?? -1]
    const offerAt = market.offerIndex.get(offer)
    if (row !== undefined && offerAt !== undefined) sit(seatOn(applicantOf(row), offerAt, devices, isBundled(row) || isTickJob(row) || isTickOffer(market.offers[offerAt] as OfferRow)))
  }
  for (const row of market.jobs) if (!seats.has(row.id) && !isBundled(row)) waiting.set(applicantOf(row))

  return {
    add,
    remove: (id) => {
      if (waiting.delete(id)) return true
      const group = market.groupOf[market.jobIndex.get(id) ?? -1] ?? -1
      const gone = (group < 0 ? [id] : (market.groups[group] as readonly number[]).map((at) => (market.jobs[at] as JobRow).id)).flatMap((one) => seats.get(one) ?? [])
      for (const seat of gone) rise(seat)
      for (const seat of gone) refill(market.unitOf[seat.offerAt] as number)
      return gone.length > 0
    },
    solution: () => ({ epoch: snapshot.epoch, engine: 'session', matches: [...seats.values()].flat().map(({ applicant: { id }, offerAt, devices }) => ({ job: id, offer: (market.offers[offerAt] as OfferRow).id, devices })) })
  }
}

function isBundled (row: JobRow): boolean {
  return copiesOf(row) > 1 || row.offer.group.size > 1 || row.incomplete === true
}
