import { passes, REASONS, type ReasonCode, type Terms } from '../admissible.ts'
import type { Market } from '../market.ts'
import { BP } from '../options.ts'
import { clip, FULL_REPUTATION, premiumFor } from '../score.ts'
import { createBidders, gpuAmount, type Bidding } from './bidders.ts'
import { deviceGroups, type DeviceGroup } from './devices.ts'
import type { JobClass, JobClasses } from './job-classes.ts'
import type { UnitClasses } from './unit-classes.ts'

/**
 * Which job class may run on which alternative of which unit class, and what that costs; columns of one unit class are neighbours. Amounts are integers in
 * doubles, nLILY. Every admissible pair of jobs and offers in classes has a column; not every pair with a column is admissible, since accounts' collateral and
 * accounts that a job avoids are left out.
 */
export interface Columns {
  /** Columns of unit class u are start[u] to start[u + 1] - 1. */
  readonly start: Int32Array
  /** Job class; place of the alternative in the unit class's offers. */
  readonly job: Int32Array
  readonly alternative: Uint16Array
  /** Devices that may serve it, as bits: places 0 to 31, 32 to 63. */
  readonly low: Int32Array
  readonly high: Int32Array
  /** What is taken off the bid, and the whole ask. */
  readonly cost: Float64Array
  readonly ask: Float64Array
  /** Place in `bids` of the class's first: bids are clipped round the reference price, which hangs on the devices. */
  readonly bid: Int32Array
  /** Most that its provider locks for it; Infinity when that is beyond the offer's own bound, or when the column only bounds pairs. */
  readonly lock: Float64Array
  /** Clipped limits in the order of each class's jobs, one run for each reference price of the class. */
  readonly bids: Float64Array
}

/** Constraints that hang on accounts or time: seen to while classes are made. */
const SEEN: ReadonlySet<ReasonCode> = new Set<ReasonCode>(['self', 'validity', 'matched', 'avoid', 'target', 'creators', 'group'])
/** Constraints on rows before those on amounts, without those. */
export const ACCESS = REASONS.slice(0, REASONS.indexOf('cpu')).filter((reason) => !SEEN.has(reason))

/** O(job classes * unit classes). */
export function columnsOf (market: Market, jobs: JobClasses, units: UnitClasses): Columns {
  const { rules } = market
  const terms: Terms = market
  const byAccess = units.accesses.map((offer) => {
    const allowed = jobs.accesses.map((job) => ACCESS.every((reason) => passes(reason, job, offer, terms)))
    return Int32Array.from(jobs.classes.keys()).filter((at) => allowed[(jobs.classes[at] as JobClass).access])
  })
  const bidders = createBidders(market, jobs)
  const { cpuMilli, memoryMiB, diskMiB, runSeconds, devices, topLimit } = bidders
  // Memory that is never written to is never taken.
  let room = Math.min(MOST_ROOM, units.classes.reduce((sum, { accesses }) => sum + accesses.reduce((most, access) => most + (byAccess[access] as Int32Array).length, 0), FIRST_ROOM))
  let out = roomFor(room)
  let count = 0
  const start = new Int32Array(units.classes.length + 1)

  let { job: outJob, alternative: outAlternative, low: outLow, high: outHigh, cost: outCost, ask: outAsk, bid: outBid, lock: outLock } = out
  const add = (job: number, alternative: number, low: number, high: number, ask: number, premium: number, least: Bidding, most: Bidding, bound: number): void => {
    if (count === room) {
      room *= 2
      out = resized(out, room)
      ;({ job: outJob, alternative: outAlternative, low: outLow, high: outHigh, cost: outCost, ask: outAsk, bid: outBid, lock: outLock } = out)
    }
    outJob[count] = job
    outAlternative[count] = alternative
    outLow[count] = low
    outHigh[count] = high
    outCost[count] = clip(Math.min(Number.MAX_SAFE_INTEGER, ask + premium), least.band)
    outAsk[count] = ask
    outBid[count] = most.at
    // Rounded up by more than a double can be wrong by.
    const locked = Math.ceil(Math.min(topLimit[job] as number, Math.max(ask, most.reference)) * (bidders.collateralBp[job] as number) / BP * (1 + 2 ** -50)) + 1
    outLock[count++] = locked > bound ? Number.POSITIVE_INFINITY : locked
  }

  units.classes.forEach((unit, at) => {
    unit.offers.forEach((row, alternative) => {
      const { offer } = row
      const { capacity, gpus, maxRunSeconds, ask: unitAsk } = offer
      const groups = deviceGroups(gpus)
      const premium = (row.reputationBp ?? FULL_REPUTATION) === FULL_REPUTATION ? () => 0 : (ask: number) => premiumFor(ask, row, rules)
      const bound = offer.collateral === 0 ? Number.MAX_VALUE : offer.collateral
      const places = groups.map((group) => group.places.map((place) => unit.shares[place] ?? 0).sort((left, right) => right - left))
      for (const job of byAccess[unit.accesses[alternative] as number] as Int32Array) {
        if ((runSeconds[job] as number) > maxRunSeconds || (cpuMilli[job] as number) > capacity.cpuMilli || (memoryMiB[job] as number) > capacity.memoryMiB || (diskMiB[job] as number) > capacity.diskMiB) continue
        const asked = devices[job] as number
        if (asked > gpus.length) continue
        // Nothing is negative: a sum or product beyond what is safe stays beyond.
        const plain = unitAsk.base + (runSeconds[job] as number) * ((cpuMilli[job] as number) * unitAsk.cpuMilliSecond + (memoryMiB[job] as number) * unitAsk.memoryMiBSecond + (diskMiB[job] as number) * unitAsk.diskMiBSecond)
        const top = topLimit[job] as number
        if (plain > top) continue
        if (asked === 0) {
          const bidding = bidders.on(job, undefined)
          if (bidding !== undefined && Number.isSafeInteger(bidding.reference)) add(job, alternative, 0, 0, plain, premium(plain), bidding, bidding, bound)
          continue
        }
        const isUniform = bidders.share[job] as number > 0
        let fitting = 0
        let cheapest = Number.POSITIVE_INFINITY
        let least: Bidding | undefined
        let most: Bidding | undefined
        for (let group = 0; group < groups.length; group++) {
          const device = groups[group] as DeviceGroup
          const bidding = bidders.on(job, device)
          if (bidding === undefined) continue
          const ask = plain + gpuAmount(runSeconds[job] as number, bidders.shares[job] as number, device.secondAsk)
          fitting++
          if (ask < cheapest) cheapest = ask
          if (least === undefined || bidding.reference < least.reference) least = bidding
          if (most === undefined || bidding.reference > most.reference) most = bidding
          if (isUniform && ask <= top && Number.isSafeInteger(bidding.reference) && ((places[group] as number[])[asked - 1] ?? -1) >= (bidders.share[job] as number)) add(job, alternative, device.low, device.high, ask, premium(ask), bidding, bidding, bound)
        }
        // Devices of several groups, or entries that differ: one column that no such pair counts more than.
        if (least !== undefined && most !== undefined && cheapest <= top && (!isUniform || (fitting > 1 && asked > 1))) add(job, alternative, 0, 0, cheapest, premium(cheapest), least, most, -1)
      }
    })
    start[at + 1] = count
  })
  return { start, ...resized(out, count), bids: Float64Array.from(bidders.bids) }
}

const FIRST_ROOM = 4096
/** Columns that room is made for at once, 90 MB of address space. */
const MOST_ROOM = 2 ** 21

interface Arrays {
  readonly job: Int32Array<ArrayBuffer>, readonly alternative: Uint16Array<ArrayBuffer>, readonly low: Int32Array<ArrayBuffer>, readonly high: Int32Array<ArrayBuffer>
  readonly cost: Float64Array<ArrayBuffer>, readonly ask: Float64Array<ArrayBuffer>, readonly bid: Int32Array<ArrayBuffer>, readonly lock: Float64Array<ArrayBuffer>
}

function roomFor (room: number): Arrays {
  return {
    job: new Int32Array(room), alternative: new Uint16Array(room), low: new Int32Array(room), high: new Int32Array(room),
    cost: new Float64Array(room), ask: new Float64Array(room), bid: new Int32Array(room), lock: new Float64Array(room)
  }
}

/** The same arrays, longer or shorter. Those given are used up, one after the other: a large market never holds all of them twice. */
function resized ({ job, alternative, low, high, cost, ask, bid, lock }: Arrays, length: number): Arrays {
  const of = ({ buffer, BYTES_PER_ELEMENT }: { buffer: ArrayBuffer, BYTES_PER_ELEMENT: number }): ArrayBuffer => buffer.transfer(length * BYTES_PER_ELEMENT)
  return {
    job: new Int32Array(of(job)), alternative: new Uint16Array(of(alternative)), low: new Int32Array(of(low)), high: new Int32Array(of(high)),
    cost: new Float64Array(of(cost)), ask: new Float64Array(of(ask)), bid: new Int32Array(of(bid)), lock: new Float64Array(of(lock))
  }
}
