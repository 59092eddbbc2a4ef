import { zeroHash } from 'viem'
import type { Address } from '../wire/shapes.ts'
import { askFor, collateralFor, priceFor, referenceFor } from './price.ts'
import type { JobRow, MatchRules, OfferRow } from './problem.ts'

/** What every constraint may look at. `atMs` is the epoch's start. */
export interface Terms { readonly rules: MatchRules, readonly atMs: number }

const meet = (left: readonly Address[], right: readonly Address[], besides: readonly Address[]): boolean =>
  left.some((address) => right.includes(address) && !besides.includes(address))

/** What the offer can lock for one job: its own bound, within what its account has free. */
export const lockable = ({ offer: { collateral }, freeCollateral }: OfferRow): number => collateral === 0 ? freeCollateral : Math.min(collateral, freeCollateral)

/** The constraints in the order in which they are tried: what no bargaining can change first, money last. Each is true when the pair passes. */
const TABLE = {
  self: (job, offer) => job.account !== offer.account,
  validity: (job, offer, { atMs }) => job.offer.validUntil > atMs && offer.offer.validUntil > atMs,
  market: (job, offer) => job.offer.market === offer.offer.market,
  matched: (job, _offer, { atMs }) => job.offer.matchedUntil <= atMs,
  free: (_job, offer, { atMs }) => offer.offer.freeFrom <= atMs,
  deadline: (job, _offer, { atMs }) => atMs + (job.offer.stageSeconds + job.offer.runSeconds) * 1000 <= job.offer.deadline,
  size: (job, _offer, { rules }) => Number.isSafeInteger(referenceFor(job.offer, rules)),
  avoid: (job, offer) => !job.offer.avoid.includes(offer.account),
  target: (job, offer) => job.offer.targets.length === 0 || job.offer.targets.includes(offer.account),
  creators: (job, offer) => offer.offer.creators.length === 0 || offer.offer.creators.includes(job.account),
  engine: (job, offer) => offer.offer.engines.includes(job.offer.engine),
  module: (job, offer) => offer.offer.modules.length === 0 || offer.offer.modules.includes(job.offer.module),
  // Several providers for one job, jobs that belong together, sealed content and GPUs wait for the parts that serve them.
  group: (job) => job.offer.group.size <= 1,
  seal: (job) => job.offer.sealKey === zeroHash,
  verification: (job) => !('replicas' in job.offer.verification),
  mediators: (job, offer) => job.offer.verification.strategy !== 'audit' || meet(job.offer.mediators, offer.offer.mediators, [job.account, offer.account]),
  cpu: (job, offer) => job.offer.resources.cpuMilli <= offer.offer.capacity.cpuMilli,
  memory: (job, offer) => job.offer.resources.memoryMiB <= offer.offer.capacity.memoryMiB,
  disk: (job, offer) => job.offer.resources.diskMiB <= offer.offer.capacity.diskMiB,
  gpu: (job) => job.offer.gpus.length === 0,
  runSeconds: (job, offer) => job.offer.runSeconds <= offer.offer.maxRunSeconds,
  price: (job, offer) => askFor(job.offer, offer.offer) <= job.offer.limit,
  collateral: (job, offer, { rules }) => collateralFor(priceFor(job.offer, offer.offer, rules), rules, job.offer) <= lockable(offer)
} as const satisfies Record<string, (job: JobRow, offer: OfferRow, terms: Terms) => boolean>

/** Why a pair is not admissible: the name of the constraint (protocol/matching.md lists them). */
export type ReasonCode = keyof typeof TABLE

/** All reasons in the order in which constraints are tried. */
export const REASONS = Object.keys(TABLE) as ReasonCode[]

/** True when the pair passes this one constraint, whatever the others say. */
export function passes (reason: ReasonCode, job: JobRow, offer: OfferRow, terms: Terms): boolean {
  return TABLE[reason](job, offer, terms)
}

const CHECKS = Object.values(TABLE) as Array<(job: JobRow, offer: OfferRow, terms: Terms) => boolean>

/** Whether the pair may be matched at all, looked at alone; else the first constraint that forbids it. */
export function admissible (job: JobRow, offer: OfferRow, rules: MatchRules, atMs: number): { ok: true } | { ok: false, reason: ReasonCode } {
  const terms = { rules, atMs }
  for (let at = 0; at < CHECKS.length; at++) {
    if (!(CHECKS[at] as (typeof CHECKS)[number])(job, offer, terms)) return { ok: false, reason: REASONS[at] as ReasonCode }
  }
  return { ok: true }
}
