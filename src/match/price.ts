import type { GpuDemand, JobOffer } from '../wire/job-offer.ts'
import type { Ask, GpuSupply, ResourceOffer } from '../wire/resource-offer.ts'
import type { Devices } from './devices.ts'
import { ceilShare, floorShare, safe } from './integers.ts'
import type { MatchRules } from './options.ts'

/** What a price hangs on. */
export type Sized = Pick<JobOffer, 'resources' | 'runSeconds' | 'gpus'>

/** Base, resources and GPUs, the price of a second of each entry's whole device given. Infinity above 2^53 - 1. */
function priceAt (unit: Ask, job: Sized, gpuSecond: (entry: GpuDemand, at: number) => number): number {
  const { cpuMilli, memoryMiB, diskMiB } = job.resources
  const perSecond = safe(safe(cpuMilli * unit.cpuMilliSecond) + safe(memoryMiB * unit.memoryMiBSecond) + safe(diskMiB * unit.diskMiBSecond))
  const plain = safe(unit.base + safe(job.runSeconds * perSecond))
  return job.gpus.length === 0 ? plain : safe(plain + gpuPrice(job, gpuSecond))
}

/** ceil(runSeconds * sum(shareBp * second) / 10,000). Big integers: a second may cost 2^53. */
function gpuPrice (job: Sized, gpuSecond: (entry: GpuDemand, at: number) => number): number {
  const shares = job.gpus.reduce((sum, entry, at) => safe(sum + safe(entry.shareBp * gpuSecond(entry, at))), 0)
  if (Number.isSafeInteger(shares)) return ceilShare(shares, job.runSeconds)
  const exact = job.gpus.reduce((sum, entry, at) => sum + BigInt(entry.shareBp) * BigInt(gpuSecond(entry, at)), 0n)
  return safe(Number((BigInt(job.runSeconds) * exact + 9_999n) / 10_000n))
}

const deviceOf = (offer: ResourceOffer, devices: Devices, at: number): GpuSupply => offer.gpus[devices[at] as number] as GpuSupply

/** What the provider asks for the job's whole span on these devices. Infinity: more than any limit can be. */
export function askFor (job: JobOffer, offer: ResourceOffer, devices: Devices): number {
  return priceAt(offer.ask, job, (_entry, at) => deviceOf(offer, devices, at).secondAsk)
}

/** The reference price of the job's whole span, GPUs by the models of the devices. */
export function referenceFor (job: JobOffer, offer: ResourceOffer, rules: MatchRules, devices: Devices): number {
  return priceAt(rules.reference, job, (_entry, at) => secondOf(deviceOf(offer, devices, at).model, rules))
}

/** The reference price of a job looked at alone: for each GPU the cheapest model that it accepts. */
export function referenceAlone (job: Sized, rules: MatchRules): number {
  return priceAt(rules.reference, job, ({ models }) => models.length === 0 ? rules.reference.gpuSecond.default : Math.min(...models.map((model) => secondOf(model, rules))))
}

/** The reference price of a second of a whole device of the model, nLILY. */
export function secondOf (model: string, { reference: { gpuSecond } }: MatchRules): number {
  return Object.hasOwn(gpuSecond.models, model) ? gpuSecond.models[model] as number : gpuSecond.default
}

/**
 * clamp(reference, ask, limit): what the creator pays and the provider gets, for a pair whose ask is within the limit. The reference
 * stands for the class price until price certificates exist (protocol/matching.md).
 */
export function priceFor (job: JobOffer, offer: ResourceOffer, rules: MatchRules, devices: Devices): number {
  return Math.min(job.limit, Math.max(askFor(job, offer, devices), referenceFor(job, offer, rules, devices)))
}

/** max(minFee, floor(price * feeBp / 10,000)): the solver's fee, paid by the creator beside the price. */
export function feeFor (price: number, rules: MatchRules): number {
  return Math.max(rules.minFee, floorShare(price, rules.feeBp))
}

/**
 * What the provider locks for a match at this price: the network's share of it, or what the job demands if that is more,
 * rounded up, so that it never falls below the share.
 */
export function collateralFor (price: number, rules: MatchRules, job: Pick<JobOffer, 'collateralBp'>): number {
  return ceilShare(price, Math.max(rules.collateralBp, job.collateralBp))
}
