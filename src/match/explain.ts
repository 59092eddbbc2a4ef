import { admissible, passes, REASONS, type ReasonCode } from './admissible.ts'
import { adviceFor, type Advice } from './advice.ts'
import { devicesFor } from './devices.ts'
import { marketOf, type Market } from './market.ts'
import { rivalOfJob, rivalOfOffer, type Rival } from './outbid.ts'
import { askFor } from './price.ts'
import type { JobRow, OfferRow, Snapshot, Solution } from './problem.ts'
import type { Hash } from '../wire/shapes.ts'

/** One constraint over all counterparts. */
export interface Step {
  reason: ReasonCode
  /** How many fail it, whatever else they fail. */
  fails: number
  /** How many pass it and all constraints before it. */
  remaining: number
}

/** A counterpart that falls out, and all that would have to change. */
export interface Miss { id: Hash, advice: Advice[] }

/** Why a job or an offer matches or does not, on this node's snapshot. */
export interface Explanation {
  id: Hash
  /** `unknown`: not in the snapshot; `matched`: in the solution given; `outbid`: could match, but others took the place or no solution was given; `alone`: nothing fits. */
  state: 'unknown' | 'matched' | 'outbid' | 'alone'
  /** Ids that the solution gives it: one for each copy of a job. */
  matched: Hash[]
  /** Counterparts in all, and those that are admissible. */
  total: number
  admissible: number
  /** In the order in which constraints are tried; those that nobody fails are left out. */
  steps: Step[]
  /** Up to three counterparts that fall out: least that only they can change, then fewest constraints, then the smallest gap of price. */
  nearest: Miss[]
  /** Where it is `outbid` by a solution: the place that it comes nearest to. */
  rival?: Rival
}

const NEAREST = 3

/** Why the job is where it is: offers per constraint and the nearest misses with what the creator can change. */
export function explainJob (snapshot: Snapshot, jobId: Hash, solution?: Solution): Explanation {
  const market = marketOf(snapshot)
  const job = market.jobs[market.jobIndex.get(jobId) ?? -1]
  const matched = (solution?.matches ?? []).filter((match) => match.job === jobId).map((match) => match.offer)
  if (job === undefined) return unknown(jobId)
  const explanation = explain(market, 'creator', jobId, matched, market.offers.map((offer) => ({ id: offer.id, job, offer })))
  if (explanation.state !== 'outbid' || solution === undefined) return explanation
  const offers = [...market.offers.keys()].filter((at) => admissible(job, market.offers[at] as OfferRow, market).ok)
  return withRival(explanation, rivalOfJob(market, job, offers, solution))
}

/** Why the offer idles: jobs per constraint and the nearest misses with what the provider can change. */
export function explainOffer (snapshot: Snapshot, offerId: Hash, solution?: Solution): Explanation {
  const market = marketOf(snapshot)
  const offer = market.offers[market.offerIndex.get(offerId) ?? -1]
  const matched = (solution?.matches ?? []).filter((match) => match.offer === offerId).map((match) => match.job)
  if (offer === undefined) return unknown(offerId)
  const explanation = explain(market, 'provider', offerId, matched, market.jobs.map((job) => ({ id: job.id, job, offer })))
  if (explanation.state !== 'outbid' || solution === undefined) return explanation
  return withRival(explanation, rivalOfOffer(market, market.offerIndex.get(offerId) as number, market.jobs.filter((job) => admissible(job, offer, market).ok), solution))
}

function withRival (explanation: Explanation, rival: Rival | undefined): Explanation {
  return rival === undefined ? explanation : { ...explanation, rival }
}

interface Candidate { id: Hash, job: JobRow, offer: OfferRow }

function explain (market: Market, side: 'creator' | 'provider', id: Hash, matched: Hash[], candidates: readonly Candidate[]): Explanation {
  let left = [...candidates]
  const steps: Step[] = []
  for (const reason of REASONS) {
    const holds = ({ job, offer }: Candidate): boolean => passes(reason, job, offer, market)
    const fails = candidates.filter((candidate) => !holds(candidate)).length
    left = left.filter(holds)
    if (fails > 0) steps.push({ reason, fails, remaining: left.length })
  }
  const fitting = new Set(left)
  const misses = candidates.filter((candidate) => !fitting.has(candidate)).map((candidate) => toMiss(market, side, candidate))
  misses.sort((one, two) => one.foreign - two.foreign || one.advice.length - two.advice.length || one.gap - two.gap || (one.id < two.id ? -1 : 1))
  return {
    id, state: matched.length > 0 ? 'matched' : left.length > 0 ? 'outbid' : 'alone', matched, total: candidates.length, admissible: left.length, steps,
    nearest: misses.slice(0, NEAREST).map((miss) => ({ id: miss.id, advice: miss.advice }))
  }
}

function toMiss (market: Market, side: 'creator' | 'provider', { id, job, offer }: Candidate): Miss & { foreign: number, gap: number } {
  const devices = devicesFor(job.offer, offer.offer)
  // Without devices there is no price; `gpu` is among the reasons then.
  const ask = devices === undefined ? job.offer.limit : askFor(job.offer, offer.offer, devices)
  // Collateral follows the price, and the price the limit: it is judged as if both sides agreed.
  const agreed = Number.isFinite(ask) && ask > job.offer.limit ? { ...job, offer: { ...job.offer, limit: ask } } : job
  const rowFor = (reason: ReasonCode): JobRow => reason === 'collateral' ? agreed : job
  const advice = REASONS.filter((reason) => !passes(reason, rowFor(reason), offer, market))
    .map((reason) => adviceFor(side, reason, { job: rowFor(reason), offer, rules: market.rules, atMs: market.atMs }))
  return { id, advice, foreign: advice.filter((entry) => !entry.own).length, gap: Math.max(0, ask - job.offer.limit) }
}

function unknown (id: Hash): Explanation {
  return { id, state: 'unknown', matched: [], total: 0, admissible: 0, steps: [], nearest: [] }
}
