import { z } from 'zod'
import { zeroHash } from 'viem'
import { resourcesShape } from './job-offer.ts'
import { addressShape, amountShape, hashShape, millisShape, peerIdShape, uintShape } from './shapes.ts'

/** protocol/resource-offer.md. What a provider's unit has free, and what it asks for it. */

/** Unit prices in nLILY: per thousandth of a core and second, per MiB and second; `base` once per job. */
export const askShape = z.strictObject({
  base: amountShape,
  cpuMilliSecond: amountShape,
  memoryMiBSecond: amountShape,
  diskMiBSecond: amountShape
})
export type Ask = z.output<typeof askShape>

/** One physical GPU of the unit: the share of it that is free, and what a second of the whole device costs. */
export const gpuSupplyShape = z.strictObject({
  model: z.string().min(1).max(64),
  vramMiB: uintShape.max(16_777_216),
  shareBp: uintShape.max(10_000),
  secondAsk: amountShape
})
export type GpuSupply = z.output<typeof gpuSupplyShape>

export const resourceOfferShape = z.strictObject({
  /** The provider's name for the machine part that is offered; alternative offers of one unit share its capacity. */
  unit: z.string().min(1).max(64),
  /** What is free now (residual), not what the machine has. */
  capacity: resourcesShape,
  gpus: z.array(gpuSupplyShape).max(64),
  ask: askShape,
  /** Engines that run here, e.g. "wasm". */
  engines: z.array(z.string().max(16)).min(1).max(8),
  /** When not empty, only modules with these manifest CIDs are run. */
  modules: z.array(z.string().max(128)).max(64),
  /** Longest run that is accepted, seconds. */
  maxRunSeconds: uintShape.min(1).max(604_800),
  /** Mediators this provider trusts. */
  mediators: z.array(addressShape).max(32),
  /** When not empty, only jobs of these creators. */
  creators: z.array(addressShape).max(32),
  /** The offer is void after this. */
  validUntil: millisShape,
  /** Where the provider's deal room is. */
  peer: peerIdShape,
  /** X25519 key that content for this provider is sealed to; zero: it opens no seals. */
  sealKey: hashShape,
  /** The market the offer is in; it matches jobs of the same one. Empty: the default one. With `gpus` it says the record's shard. */
  market: z.string().max(32),
  /** Standard mediator sets that the provider trusts, by hash, beside `mediators`. */
  mediatorSets: z.array(hashShape).max(8),
  /** Most that it locks for one job; 0: whatever its account has free. */
  collateral: amountShape,
  /** Machines whose results are comparable share a class; empty: none is claimed. */
  hardwareClass: z.string().max(64),
  /** The capacity is free from then on, unix ms; 0: now. */
  freeFrom: millisShape,
  /** Where the machine is, as jobs ask for it: a hint. */
  locality: z.array(z.string().min(1).max(64)).max(8)
})
export type ResourceOffer = z.output<typeof resourceOfferShape>

/** What a plain offer leaves at nothing: no GPUs, no seals, free now. */
export const PLAIN_OFFER = { gpus: [], sealKey: zeroHash, market: '', mediatorSets: [], collateral: 0, hardwareClass: '', freeFrom: 0, locality: [] } satisfies Partial<ResourceOffer>
