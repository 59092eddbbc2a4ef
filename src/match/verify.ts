import type { Resources } from '../wire/job-offer.ts'
import { admissible, type ReasonCode } from './admissible.ts'
import { marketOf } from './market.ts'
import { MAX_MATCHES } from './options.ts'
import { collateralFor, priceFor, welfareOf } from './price.ts'
import type { JobRow, OfferRow, Snapshot, Solution } from './problem.ts'

/** Why a solution is infeasible (protocol/matching.md). */
export type VerifyCode = 'MATCH_EPOCH' | 'MATCH_TOO_MANY' | 'MATCH_JOB_TWICE' | 'MATCH_INADMISSIBLE' | 'MATCH_OVER_CAPACITY' | 'MATCH_OVER_COLLATERAL'

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
 * Checks and scores a solution on this node's snapshot: exact, in O(matches) once the snapshot is indexed. Never throws for foreign solutions.
 * A match with an unknown job or offer counts 0, uses nothing up and does not invalidate the rest; a job named twice always does.
 */
export function verifySolution (snapshot: Snapshot, solution: Solution): Verified {
  if (solution.epoch !== snapshot.epoch) return infeasible('MATCH_EPOCH')
  if (solution.matches.length > MAX_MATCHES) return infeasible('MATCH_TOO_MANY')
  const market = marketOf(snapshot)
  const named = new Set<string>()
  const taken = new Set<number>()
  const used = new Map<number, Resources>()
  const locked = new Map<number, number>()
  let score = 0
  let counted = 0
  for (const match of solution.matches) {
    if (named.has(match.job)) return infeasible('MATCH_JOB_TWICE')
    named.add(match.job)
    const jobAt = market.jobIndex.get(match.job)
    const offerAt = market.offerIndex.get(match.offer)
    if (jobAt === undefined || offerAt === undefined) continue

    const task = market.taskOf[jobAt] as number
    if (taken.has(task)) return infeasible('MATCH_JOB_TWICE')
    taken.add(task)

    const job = market.jobs[jobAt] as JobRow
    const offer = market.offers[offerAt] as OfferRow
    const pair = admissible(job, offer, market.rules, market.atMs)
    if (!pair.ok) return { ...infeasible('MATCH_INADMISSIBLE'), reason: pair.reason }

    const unit = market.unitOf[offerAt] as number
    const sum = add(used.get(unit), job.offer.resources)
    if (!within(sum, offer.offer.capacity)) return infeasible('MATCH_OVER_CAPACITY')
    used.set(unit, sum)

    const account = market.accountOf[offerAt] as number
    const before = locked.get(account) ?? 0
    const more = collateralFor(priceFor(job.offer, offer.offer, market.rules), market.rules, job.offer)
    // Subtracted, not added: the sum of two safe integers need not be one.
    if (more > (market.accounts[account] as number) - before) return infeasible('MATCH_OVER_COLLATERAL')
    locked.set(account, before + more)

    score = Math.min(Number.MAX_SAFE_INTEGER, score + welfareOf(job.offer, offer.offer, market.rules))
    counted++
  }
  return { ok: true, score, counted, unknown: solution.matches.length - counted }
}

function infeasible (code: VerifyCode): Verified {
  return { ok: false, score: 0, counted: 0, unknown: 0, code }
}

/** Demands are below 2^31 each and at most MAX_MATCHES are added: sums stay safe. */
function add (sum: Resources | undefined, more: Resources): Resources {
  if (sum === undefined) return more
  return { cpuMilli: sum.cpuMilli + more.cpuMilli, memoryMiB: sum.memoryMiB + more.memoryMiB, diskMiB: sum.diskMiB + more.diskMiB }
}

function within (sum: Resources, capacity: Resources): boolean {
  return sum.cpuMilli <= capacity.cpuMilli && sum.memoryMiB <= capacity.memoryMiB && sum.diskMiB <= capacity.diskMiB
}
