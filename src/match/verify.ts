import type { Resources } from '../wire/job-offer.ts'
import { admissible, type ReasonCode } from './admissible.ts'
import { devicesServe } from './devices.ts'
import { marketOf, smallest, type Market } from './market.ts'
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

const NOTHING: Resources = { cpuMilli: 0, memoryMiB: 0, diskMiB: 0 }

/** What the matches looked at so far use of units, devices and collateral. A unit has no more than each of its offers that is used states. */
function createUsage (market: Market): { take: (job: JobRow, offerAt: number, devices: readonly number[], collateral: number) => VerifyCode | undefined } {
  const units = new Map<number, { used: Resources, capacity: Resources, shares: number[], free: number[] }>()
  const locked = new Map<number, number>()
  return {
    take: ({ offer: { resources, gpus } }, offerAt, devices, collateral) => {
      const unitAt = market.unitOf[offerAt] as number
      const { offer } = market.stated[offerAt] as OfferRow
      const unit = units.get(unitAt) ?? { used: NOTHING, capacity: offer.capacity, shares: [], free: [] }
      units.set(unitAt, unit)
      offer.gpus.forEach(({ shareBp }, place) => { unit.free[place] = Math.min(unit.free[place] ?? shareBp, shareBp) })
      for (const [entry, place] of devices.entries()) unit.shares[place] = (unit.shares[place] ?? 0) + (gpus[entry]?.shareBp ?? 0)
      if (unit.shares.some((share, place) => share > (unit.free[place] as number))) return 'MATCH_DEVICES'
      unit.capacity = smallest(unit.capacity, offer.capacity)
      unit.used = add(unit.used, resources)
      if (!within(unit.used, unit.capacity)) return 'MATCH_OVER_CAPACITY'

      const account = market.accountOf[offerAt] as number
      const before = locked.get(account) ?? 0
      // Subtracted, not added: the sum of two safe integers need not be one.
      if (collateral > (market.accounts[account] as number) - before) return 'MATCH_OVER_COLLATERAL'
      locked.set(account, before + collateral)
      return undefined
    }
  }
}

/** Demands are below 2^31 each and at most MAX_MATCHES are added: sums stay safe. */
function add (sum: Resources, more: Resources): Resources {
  return { cpuMilli: sum.cpuMilli + more.cpuMilli, memoryMiB: sum.memoryMiB + more.memoryMiB, diskMiB: sum.diskMiB + more.diskMiB }
}

function within (sum: Resources, capacity: Resources): boolean {
  return sum.cpuMilli <= capacity.cpuMilli && sum.memoryMiB <= capacity.memoryMiB && sum.diskMiB <= capacity.diskMiB
}
