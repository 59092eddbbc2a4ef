import { zeroHash } from 'viem'
import { devicesFor, devicesServe, type Devices } from './devices.ts'
import { shareMediator } from './mediators.ts'
import { askFor, collateralFor, priceFor, referenceAlone, referenceFor } from './price.ts'
import type { JobRow, MatchRules, OfferRow } from './problem.ts'
import { FULL_REPUTATION } from './score.ts'
import { isTicked } from './ticks.ts'

/** What every constraint may look at. `atMs` is the epoch's start. */
export interface Terms { readonly rules: MatchRules, readonly atMs: number }

/** What the offer can lock for one job: its own bound, within what its account has free. */
export const lockable = ({ offer: { collateral }, freeCollateral }: OfferRow): number => collateral === 0 ? freeCollateral : Math.min(collateral, freeCollateral)

/** When the run could end, unix ms: stage and run from the boundary, or from when the capacity is free. */
export const endOf = ({ offer: { stageSeconds, runSeconds } }: JobRow, { offer: { freeFrom } }: OfferRow, atMs: number): number => Math.max(atMs, freeFrom) + (stageSeconds + runSeconds) * 1000

/** `devices` serve the job's GPUs; undefined when none do. */
type Constraint = (job: JobRow, offer: OfferRow, terms: Terms, devices: Devices | undefined) => boolean

/** The constraints in the order in which they are tried: what no bargaining can change first, money last. Each is true when the pair passes. */
const TABLE = {
  self: (job, offer) => job.account !== offer.account,
  validity: (job, offer, { atMs }) => job.offer.validUntil > atMs && offer.offer.validUntil > atMs,
  market: (job, offer) => job.offer.market === offer.offer.market,
  matched: (job, _offer, { atMs }) => job.offer.matchedUntil <= atMs,
  free: (_job, offer, { rules, atMs }) => offer.offer.freeFrom <= atMs + rules.maxAheadMs,
  deadline: (job, offer, { atMs }) => endOf(job, offer, atMs) <= job.offer.deadline,
  avoid: (job, offer) => !job.offer.avoid.includes(offer.account),
  target: (job, offer) => job.offer.targets.length === 0 || job.offer.targets.includes(offer.account),
  creators: (job, offer) => offer.offer.creators.length === 0 || offer.offer.creators.includes(job.account),
  engine: (job, offer) => offer.offer.engines.includes(job.offer.engine),
  module: (job, offer) => offer.offer.modules.length === 0 || offer.offer.modules.includes(job.offer.module),
  group: (job) => job.incomplete !== true,
  // Sealed content waits for the parts that serve it.
  seal: (job) => job.offer.sealKey === zeroHash,
  verification: ({ offer: { verification } }) => !('replicas' in verification) || verification.quorum <= verification.replicas,
  reputation: (job, offer) => (offer.reputationBp ?? FULL_REPUTATION) >= job.offer.minReputationBp,
  mediators: (job, offer, { rules }) => job.offer.verification.strategy !== 'audit' || shareMediator(job.offer, offer.offer, [job.account, offer.account], rules),
  cpu: (job, offer) => job.offer.resources.cpuMilli <= offer.offer.capacity.cpuMilli,
  memory: (job, offer) => job.offer.resources.memoryMiB <= offer.offer.capacity.memoryMiB,
  disk: (job, offer) => job.offer.resources.diskMiB <= offer.offer.capacity.diskMiB,
  gpu: (job, offer, _terms, devices) => devices !== undefined && devicesServe(job.offer, offer.offer, devices),
  runSeconds: (job, offer) => job.offer.runSeconds <= offer.offer.maxRunSeconds,
  ticks: (_job, offer) => isTicked(offer.offer),
  // What follows is money. Without devices a pair has no price; `gpu` says so.
  size: (job, offer, { rules }, devices) => Number.isSafeInteger(devices === undefined ? referenceAlone(job.offer, rules) : referenceFor(job.offer, offer.offer, rules, devices)),
  price: (job, offer, _terms, devices) => devices === undefined || askFor(job.offer, offer.offer, devices) <= job.offer.limit,
  collateral: (job, offer, { rules }, devices) => devices === undefined || collateralFor(priceFor(job.offer, offer.offer, rules, devices), rules, job.offer) <= lockable(offer)
} as const satisfies Record<string, Constraint>

/** Why a pair is not admissible: the name of the constraint (protocol/matching.md lists them). */
export type ReasonCode = keyof typeof TABLE

/** All reasons in the order in which constraints are tried. */
export const REASONS = Object.keys(TABLE) as ReasonCode[]

/** True when the pair, on the devices it takes when looked at alone, passes this one constraint, whatever the others say. */
export function passes (reason: ReasonCode, job: JobRow, offer: OfferRow, terms: Terms): boolean {
  const constraint: Constraint = TABLE[reason]
  return constraint(job, offer, terms, devicesFor(job.offer, offer.offer))
}

const CHECKS: readonly Constraint[] = Object.values(TABLE)
const GPU_AT = REASONS.indexOf('gpu')

/** The first constraint from one place in the order to before another that the pair fails; undefined when it passes them. */
function firstFailed (job: JobRow, offer: OfferRow, terms: Terms, devices: Devices | undefined, from: number, to: number): ReasonCode | undefined {
  for (let at = from; at < to; at++) if (!(CHECKS[at] as Constraint)(job, offer, terms, devices)) return REASONS[at]
  return undefined
}

/** Whether the pair passes all constraints before devices are looked for: what engines ask first. */
export function suits (job: JobRow, offer: OfferRow, terms: Terms): boolean {
  return firstFailed(job, offer, terms, undefined, 0, GPU_AT) === undefined
}

/** Whether a pair that suits passes the rest on these devices. */
export function affords (job: JobRow, offer: OfferRow, terms: Terms, devices: Devices): boolean {
  return firstFailed(job, offer, terms, devices, GPU_AT, CHECKS.length) === undefined
}

/**
 * Whether the pair may be matched at all, looked at alone; else the first constraint that forbids it. On the devices given, or those that it takes when looked
 * at alone.
 */
export function admissible (job: JobRow, offer: OfferRow, terms: Terms, devices?: Devices): { ok: true } | { ok: false, reason: ReasonCode } {
  const reason = firstFailed(job, offer, terms, undefined, 0, GPU_AT) ??
    firstFailed(job, offer, terms, devices ?? devicesFor(job.offer, offer.offer), GPU_AT, CHECKS.length)
  return reason === undefined ? { ok: true } : { ok: false, reason }
}
