import { passes, REASONS, type ReasonCode } from '../admissible.ts'
import type { Market } from '../market.ts'
import { BP, type MatchRules } from '../options.ts'
import type { OfferRow } from '../problem.ts'
import { FULL_REPUTATION, premiumFor } from '../score.ts'
import { createBidders, gpuAmount, NO_BID, type Bidders, type Biddings } from './bidders.ts'
import { resized, roomFor } from './column-room.ts'
import { deviceGroups } from './devices.ts'
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

/** Columns that room is made for at once, 90 MB of address space, and at first. */
const MOST_ROOM = 2 ** 21
const FIRST_ROOM = 4096

/** O(job classes * unit classes). */
export function columnsOf (market: Market, jobs: JobClasses, units: UnitClasses): Columns {
  const byAccess = units.accesses.map((offer) => {
    const allowed = jobs.accesses.map((job) => ACCESS.every((reason) => passes(reason, job, offer, market)))
    return Int32Array.from(jobs.classes.keys()).filter((at) => allowed[(jobs.classes[at] as JobClass).access])
  })
  const most = units.classes.reduce((sum, { accesses }) => sum + accesses.reduce((all, access) => all + (byAccess[access] as Int32Array).length, 0), FIRST_ROOM)
  const writer = createWriter(createBidders(market, jobs), market.rules, Math.min(MOST_ROOM, most))
  const start = new Int32Array(units.classes.length + 1)
  units.classes.forEach(({ offers, accesses, shares }, at) => {
    offers.forEach((row, alternative) => { writer.write(row, alternative, shares, byAccess[accesses[alternative] as number] as Int32Array) })
    start[at + 1] = writer.count()
  })
  return { start, ...writer.end() }
}

/** Devices of an offer that differ in nothing but their free share: the free shares, the largest first, what a second costs and what jobs bid there. */
interface Group { readonly low: number, readonly high: number, readonly secondAsk: number, readonly shares: readonly number[], readonly biddings: Biddings }

/** Writes the columns of one alternative after the other. */
function createWriter (bidders: Bidders, rules: MatchRules, firstRoom: number): { write: (row: OfferRow, alternative: number, shares: readonly number[], jobs: Int32Array) => void, count: () => number, end: () => Omit<Columns, 'start'> } {
  const { cpuMilli, memoryMiB, diskMiB, runSeconds, devices, topLimit, ask: askFor } = bidders
  const plainBiddings = bidders.biddingsOn(undefined)
  let room = firstRoom
  let out = roomFor(room)
  let count = 0

  const put = (job: number, alternative: number, group: Pick<Group, 'low' | 'high'>, ask: number, cost: number, low: Biddings, high: Biddings, bound: number): void => {
    out.job[count] = job
    out.alternative[count] = alternative
    out.low[count] = group.low
    out.high[count] = group.high
    out.cost[count] = Math.min(low.high[job] as number, Math.max(low.low[job] as number, cost))
    out.ask[count] = ask
    out.bid[count] = high.at[job] as number
    // Rounded up by more than a double can be wrong by.
    const locked = Math.ceil(Math.min(topLimit[job] as number, Math.max(ask, high.reference[job] as number)) * (bidders.collateralBp[job] as number) / BP * (1 + 2 ** -50)) + 1
    out.lock[count++] = locked > bound ? Number.POSITIVE_INFINITY : locked
  }
  return {
    write: (row, alternative, free, jobs) => {
      const { capacity, gpus, maxRunSeconds, ask: { base, cpuMilliSecond, memoryMiBSecond, diskMiBSecond }, collateral } = row.offer
      const groups = deviceGroups(gpus).map((device): Group => ({
        low: device.low, high: device.high, secondAsk: device.secondAsk, biddings: bidders.biddingsOn(device),
        shares: device.places.map((place) => free[place] ?? 0).sort((left, right) => right - left)
      }))
      while (room < count + jobs.length * (groups.length + 1)) {
        room *= 2
        out = resized(out, room)
      }
      const isReputed = (row.reputationBp ?? FULL_REPUTATION) === FULL_REPUTATION
      const costOf = (ask: number): number => isReputed ? ask : Math.min(Number.MAX_SAFE_INTEGER, ask + premiumFor(ask, row, rules))
      const bound = collateral === 0 ? Number.MAX_VALUE : collateral
      for (let at = 0; at < jobs.length; at++) {
        const job = jobs[at] as number
        const seconds = runSeconds[job] as number
        const cpu = cpuMilli[job] as number
        const memory = memoryMiB[job] as number
        const disk = diskMiB[job] as number
        const asked = devices[job] as number
        if (cpu > capacity.cpuMilli || memory > capacity.memoryMiB || disk > capacity.diskMiB || seconds > maxRunSeconds || asked > gpus.length) continue
        // Nothing is negative: a sum or product beyond what is safe stays beyond.
        const plain = base + seconds * (cpu * cpuMilliSecond + memory * memoryMiBSecond + disk * diskMiBSecond)
        const top = topLimit[job] as number
        if (plain > top) continue
        if (asked === 0) {
          if (askFor(plainBiddings, job) !== NO_BID && Number.isSafeInteger(plainBiddings.reference[job])) put(job, alternative, NO_DEVICES, plain, costOf(plain), plainBiddings, plainBiddings, bound)
          continue
        }
        const share = bidders.share[job] as number
        let fitting = 0
        let cheapest = Number.POSITIVE_INFINITY
        let least: Biddings | undefined
        let most: Biddings | undefined
        for (const group of groups) {
          const { biddings } = group
          if (askFor(biddings, job) === NO_BID) continue
          const reference = biddings.reference[job] as number
          const ask = plain + gpuAmount(seconds, bidders.shares[job] as number, group.secondAsk)
          fitting++
          if (ask < cheapest) cheapest = ask
          if (least === undefined || reference < (least.reference[job] as number)) least = biddings
          if (most === undefined || reference > (most.reference[job] as number)) most = biddings
          if (share > 0 && ask <= top && Number.isSafeInteger(reference) && (group.shares[asked - 1] ?? -1) >= share) put(job, alternative, group, ask, costOf(ask), biddings, biddings, bound)
        }
        // Devices of several groups, or entries that differ: one column that no such pair counts more than.
        if (least !== undefined && most !== undefined && cheapest <= top && (share === 0 || (fitting > 1 && asked > 1))) put(job, alternative, NO_DEVICES, cheapest, costOf(cheapest), least, most, -1)
      }
    },
    count: () => count,
    end: () => ({ ...resized(out, count), bids: bidders.bids() })
  }
}

const NO_DEVICES = { low: 0, high: 0 }
