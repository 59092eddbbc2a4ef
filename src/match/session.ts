import type { Hash } from '../wire/shapes.ts'
import type { Warm } from './engine.ts'
import { MatchError } from './errors.ts'
import { createEstimate, type Applicant } from './estimate.ts'
import { copiesOf } from './groups.ts'
import { kernelOf } from './kernel/kernel.ts'
import type { JobRow, OfferRow, Snapshot, Solution } from './problem.ts'
import { createRefill } from './refill.ts'
import { isTickJob, isTickOffer } from './score.ts'
import { createSeating, type Seat } from './seating.ts'
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

/** Units that a job without room tries to make some on. */
const EVICTIONS = 8

/** Opens a session on a solution of the snapshot, which must be feasible, and the prices found with it; without prices resources are free. */
export function openSession (snapshot: Snapshot, { matches, certificate = { entries: [] } }: Warm): Session {
  const kernel = kernelOf(snapshot)
  const { market } = kernel
  const estimate = createEstimate(kernel, certificate)
  const { applicantOf, costsOf, offers } = estimate
  const seating = createSeating(market, estimate)
  const waiting = createWaiting()
  const refill = createRefill(market, estimate, seating, waiting)
  const cost = new Float64Array(market.offers.length)
  const unitOf = (offerAt: number): number => market.unitOf[offerAt] as number

  /** Offers of the costs in `cost`, the least first. */
  const cheapestFirst = (passes: (offerAt: number) => boolean): number[] => {
    const found: number[] = []
    for (const offer of offers) if ((cost[offer] as number) < Number.POSITIVE_INFINITY && passes(offer)) found.push(offer)
    return found.sort((left, right) => (cost[left] as number) - (cost[right] as number))
  }
  /** Takes free room, the cheapest first. Leaves the job's costs in `cost`. */
  const settle = (applicant: Applicant): boolean => {
    costsOf(applicant, cost)
    for (const offer of cheapestFirst((at) => seating.mayFit(applicant, unitOf(at)))) {
      const seat = seating.find(applicant, offer)
      if (seat === undefined) continue
      seating.sit(seat)
      return true
    }
    return false
  }
  /** Lets jobs of the unit go, those that earn least first, until there is room; takes all back unless the new one counts more than they. */
  const evictFor = (applicant: Applicant, offerAt: number): Seat[] | undefined => {
    const out: Seat[] = []
    let lost = 0
    for (const seat of [...seating.on(unitOf(offerAt))].sort((left, right) => left.surplus - right.surplus)) {
      if (seat.isFixed) continue
      seating.rise(seat)
      out.push(seat)
      lost += seat.welfare
      const found = seating.mayFit(applicant, unitOf(offerAt)) ? seating.find(applicant, offerAt) : undefined
      if (found !== undefined && found.welfare > lost) {
        seating.sit(found)
        return out
      }
      if (lost >= applicant.bid) break
    }
    for (const seat of out) seating.sit(seat)
    return undefined
  }
  const add = (row: JobRow): boolean => {
    if (seating.has(row.id) || waiting.has(row.id)) throw new MatchError('MATCH_SNAPSHOT', `the session holds ${row.id} already`, { data: { id: row.id } })
    if (isBundled(row)) return false
    const applicant = applicantOf(row)
    if (settle(applicant)) return true
    if (!seating.isTaken(row)) {
      for (const offer of cheapestFirst((at) => (cost[at] as number) < applicant.bid).slice(0, EVICTIONS)) {
        const out = evictFor(applicant, offer)
        if (out === undefined) continue
        for (const seat of out) if (!settle(seat.applicant)) waiting.set(seat.applicant)
        refill(unitOf(offer))
        return true
      }
    }
    waiting.set(applicant)
    return false
  }
  const remove = (id: Hash): boolean => {
    if (waiting.delete(id)) return true
    const group = market.groupOf[market.jobIndex.get(id) ?? -1] ?? -1
    const gone = (group < 0 ? [id] : (market.groups[group] as readonly number[]).map((at) => (market.jobs[at] as JobRow).id)).flatMap((one) => seating.of(one))
    for (const seat of gone) seating.rise(seat)
    for (const seat of gone) refill(unitOf(seat.offerAt))
    return gone.length > 0
  }

  for (const { job, offer, devices } of matches) {
    const row = market.jobs[market.jobIndex.get(job) ?? -1]
    const offerAt = market.offerIndex.get(offer)
    if (row !== undefined && offerAt !== undefined) seating.sit(seating.seatOn(applicantOf(row), offerAt, devices, isBundled(row) || isTickJob(row) || isTickOffer(market.offers[offerAt] as OfferRow)))
  }
  for (const row of market.jobs) if (!seating.has(row.id) && !isBundled(row)) waiting.set(applicantOf(row))
  return { add, remove, solution: () => ({ epoch: snapshot.epoch, engine: 'session', matches: seating.matches() }) }
}

function isBundled (row: JobRow): boolean {
  return copiesOf(row) > 1 || row.offer.group.size > 1 || row.incomplete === true
}
