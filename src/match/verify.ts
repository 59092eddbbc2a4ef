import type { Resources } from '../wire/job-offer.ts'
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
    const offer = market.offers[offerAt] as OfferRow
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

/** What the matches looked at so far use of units, devices and collateral. */
function createUsage (market: Market): { take: (job: JobRow, offerAt: number, devices: readonly number[], collateral: number) => VerifyCode | undefined } {
  const used = new Map<number, Resources>()
  const shares = new Map<number, number[]>()
  const locked = new Map<number, number>()
  return {
    take: ({ offer: { resources, gpus } }, offerAt, devices, collateral) => {
      const unit = market.unitOf[offerAt] as number
      // The unit's own, or a departed offer's.
      const { offer: capacity } = market.offers[offerAt] as OfferRow
      const taken = shares.get(unit) ?? []
      for (const [entry, place] of devices.entries()) {
        const share = (taken[place] ?? 0) + (gpus[entry]?.shareBp ?? 0)
        if (share > (capacity.gpus[place]?.shareBp ?? 0)) return 'MATCH_DEVICES'
        taken[place] = share
      }
      if (devices.length > 0) shares.set(unit, taken)

      const sum = add(used.get(unit), resources)
      if (!within(sum, capacity.capacity)) return 'MATCH_OVER_CAPACITY'
      used.set(unit, sum)

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
function add (sum: Resources | undefined, more: Resources): Resources {
  if (sum === undefined) return more
  return { cpuMilli: sum.cpuMilli + more.cpuMilli, memoryMiB: sum.memoryMiB + more.memoryMiB, diskMiB: sum.diskMiB + more.diskMiB }
}

function within (sum: Resources, capacity: Resources): boolean {
  return sum.cpuMilli <= capacity.cpuMilli && sum.memoryMiB <= capacity.memoryMiB && sum.diskMiB <= capacity.diskMiB
}
