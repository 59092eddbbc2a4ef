import { admissible, type ReasonCode } from './admissible.ts'
import { devicesServe } from './devices.ts'
import { factsOf } from './facts/facts.ts'
import { termsOf, type Terms } from './facts/pair.ts'
import { marketOf, type Market } from './market.ts'
import { MAX_MATCHES } from './options.ts'
import { collateralFor, priceFor } from './price.ts'
import type { JobRow, OfferRow, Snapshot, Solution } from './problem.ts'
import { welfareOf } from './score.ts'
import { createUsage, type UsageCode } from './usage.ts'
import { findWhole, type KnownMatch, type WholeCode } from './whole.ts'

/** Why a solution is infeasible (protocol/matching.md). */
export type VerifyCode = WholeCode | UsageCode | 'MATCH_EPOCH' | 'MATCH_TOO_MANY' | 'MATCH_INADMISSIBLE'

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
 * is unknown counts 0, uses nothing up and does not invalidate the rest. What is read of a record is kept for the next solution of the snapshot.
 */
export function verifySolution (snapshot: Snapshot, solution: Solution): Verified {
  if (solution.epoch !== snapshot.epoch) return infeasible('MATCH_EPOCH')
  if (solution.matches.length > MAX_MATCHES) return infeasible('MATCH_TOO_MANY')
  const market = marketOf(snapshot)
  const whole = findWhole(market, solution.matches)
  if (!whole.ok) return infeasible(whole.code)
  const facts = factsOf(market)
  const usage = createUsage(market, facts)
  let score = 0
  for (const known of whole.known) {
    const { jobAt, offerAt, devices } = known
    const [job, offer] = [facts.readJob(jobAt), facts.readOffer(offerAt)]
    const terms = termsOf(market, facts, job, offer, devices) ?? termsByRecords(market, known)
    if ('ok' in terms) return terms
    const code = usage.take(offerAt, job, offer, devices, terms.collateral)
    if (code !== undefined) return infeasible(code)
    score = Math.min(Number.MAX_SAFE_INTEGER, score + terms.welfare)
  }
  return { ok: true, score, counted: whole.known.length, unknown: solution.matches.length - whole.known.length }
}

/** The terms of a pair as the rules define them, constraint for constraint; or what is wrong with it. */
function termsByRecords (market: Market, { jobAt, offerAt, devices }: KnownMatch): Terms | Verified {
  const job = market.jobs[jobAt] as JobRow
  const offer = market.stated[offerAt] as OfferRow
  if (!devicesServe(job.offer, offer.offer, devices)) return infeasible('MATCH_DEVICES')
  const pair = admissible(job, offer, market, devices)
  if (!pair.ok) return { ...infeasible('MATCH_INADMISSIBLE'), reason: pair.reason }
  const collateral = collateralFor(priceFor(job.offer, offer.offer, market.rules, devices), market.rules, job.offer)
  return { welfare: welfareOf(job, offer, market.rules, devices), collateral }
}

function infeasible (code: VerifyCode): Verified {
  return { ok: false, score: 0, counted: 0, unknown: 0, code }
}
