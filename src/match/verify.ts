import type { GpuDemand, Resources } from '../wire/job-offer.ts'
import { admissible, type ReasonCode } from './admissible.ts'
import { devicesServe } from './devices.ts'
import { marketOf, type Market } from './market.ts'
import { MAX_MATCHES } from './options.ts'
import { collateralFor, priceFor } from './price.ts'
import type { JobRow, OfferRow, Snapshot, Solution } from './problem.ts'
import { welfareOf } from './score.ts'
import { findWhole, type WholeCode } from './whole.ts'

/** Why a solution is infeasible (protocol/matching.md). */
export type VerifyCode = WholeCode | 'MATCH_EPOCH' | 'MATCH_TOO_MANY' | 'MATCH_DEVICES' | 'MATCH_INADMISSIBLE' | 'MATCH_OVER_CAPACITY' | 'MATCH_OVER_COLLATERAL'

/** `counted` matches have score, `unknown` ones name a record that this node does not hold. An infeasible solution counts nothing. */
export interface Verified {
  ok: boolean
  /** nLILY; stays at 2^53 - 1 when the sum is larger. */
  score: number
  counted: number
  unknown: number
  code?: VerifyCode
  /** The constraint behind MATCH_INADMISSIBLE. */
  reason?: ReasonCode
}

/**
 * Checks and scores a solution on this node's snapshot: exact, in O(matches) once the snapshot is indexed. Never throws for foreign solutions. A match that
 * is unknown counts 0, uses nothing up and does not invalidate the rest.
 */
export function verifySolution (snapshot: Snapshot, solution: Solution): Verified {
  if (solution.epoch !== snapshot.epoch) return infeasible('MATCH_EPOCH')
  if (solution.matches.length > MAX_MATCHES) return infeasible('MATCH_TOO_MANY')
  const market = marketOf(snapshot)
  const whole = findWhole(market, solution.matches)
  if (!whole.ok) return infeasible(whole.code)
  const usage = createUsage(market)
  let score = 0
  for (const { jobAt, offerAt, devices } of whole.known) {
    const job = market.jobs[jobAt] as JobRow
    const offer = market.stated[offerAt] as OfferRow
    if (!devicesServe(job.offer, offer.offer, devices)) return infeasible('MATCH_DEVICES')
    const pair = admissible(job, offer, market, devices)
    if (!pair.ok) return { ...infeasible('MATCH_INADMISSIBLE'), reason: pair.reason }
    const collateral = collateralFor(priceFor(job.offer, offer.offer, market.rules, devices), market.rules, job.offer)
    const code = usage.take(job, offerAt, devices, collateral)
    if (code !== undefined) return infeasible(code)
    score = Math.min(Number.MAX_SAFE_INTEGER, score + welfareOf(job, offer, market.rules, devices))
  }
  return { ok: true, score, counted: whole.known.length, unknown: solution.matches.length - whole.known.length }
}

function infeasible (code: VerifyCode): Verified {
  return { ok: false, score: 0, counted: 0, unknown: 0, code }
}

/** What the matches looked at so far use of units, devices and collateral. A unit has no more than each of its offers that is used states. */
function createUsage (market: Market): { take: (job: JobRow, offerAt: number, devices: readonly number[], collateral: number) => VerifyCode | undefined } {
  const isNamed = new Uint8Array(market.offers.length)
  /** Per unit: CPU, memory and disk of the offers that are named, and what of it is used. Demands are below 2^31 each and at most MAX_MATCHES: sums stay safe. */
  const has = new Float64Array(market.units.length * 3).fill(Number.POSITIVE_INFINITY)
  const used = new Float64Array(market.units.length * 3)
  /** Per unit with GPUs and place: the free share of its offers that are named, and what of it is used. */
  const devicesOf = new Map<number, { free: number[], used: number[] }>()
  const locked = new Float64Array(market.accounts.length)

  const name = (unit: number, { offer: { capacity, gpus } }: OfferRow): void => {
    const at = unit * 3
    has[at] = Math.min(has[at] as number, capacity.cpuMilli)
    has[at + 1] = Math.min(has[at + 1] as number, capacity.memoryMiB)
    has[at + 2] = Math.min(has[at + 2] as number, capacity.diskMiB)
    if (gpus.length === 0) return
    const devices = devicesOf.get(unit) ?? { free: [], used: [] }
    devicesOf.set(unit, devices)
    gpus.forEach(({ shareBp }, place) => {
      devices.free[place] = Math.min(devices.free[place] ?? shareBp, shareBp)
      devices.used[place] ??= 0
    })
  }
  const hasDevices = (unit: number, { offer: { gpus } }: JobRow, places: readonly number[]): boolean => {
    const devices = devicesOf.get(unit)
    if (devices === undefined) return true
    for (let entry = 0; entry < places.length; entry++) {
      const place = places[entry] as number
      devices.used[place] = (devices.used[place] as number) + (gpus[entry] as GpuDemand).shareBp
    }
    // All of them: an alternative that is named now may have less of any.
    for (let place = 0; place < devices.used.length; place++) if ((devices.used[place] ?? 0) > (devices.free[place] ?? 0)) return false
    return true
  }
  const hasCapacity = (unit: number, { cpuMilli, memoryMiB, diskMiB }: Resources): boolean => {
    const at = unit * 3
    used[at] = (used[at] as number) + cpuMilli
    used[at + 1] = (used[at + 1] as number) + memoryMiB
    used[at + 2] = (used[at + 2] as number) + diskMiB
    return (used[at] as number) <= (has[at] as number) && (used[at + 1] as number) <= (has[at + 1] as number) && (used[at + 2] as number) <= (has[at + 2] as number)
  }
  return {
    take: (job, offerAt, devices, collateral) => {
      const unit = market.unitOf[offerAt] as number
      if (isNamed[offerAt] === 0) {
        isNamed[offerAt] = 1
        name(unit, market.stated[offerAt] as OfferRow)
      }
      if (!hasDevices(unit, job, devices)) return 'MATCH_DEVICES'
      if (!hasCapacity(unit, job.offer.resources)) return 'MATCH_OVER_CAPACITY'
      const account = market.accountOf[offerAt] as number
      // Subtracted, not added: the sum of two safe integers need not be one.
      if (collateral > (market.accounts[account] as number) - (locked[account] as number)) return 'MATCH_OVER_COLLATERAL'
      locked[account] = (locked[account] as number) + collateral
      return undefined
    }
  }
}
