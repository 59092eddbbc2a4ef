import { z } from 'zod'
import { zeroAddress, zeroHash } from 'viem'
import { addressShape, amountShape, cidShape, hashShape, millisShape, peerIdShape, uintShape } from './shapes.ts'

/** protocol/job-offer.md. What a job needs and what its creator pays at most. */

/** A demand or capacity vector. CPU in thousandths of a core, memory and disk in MiB. */
export const resourcesShape = z.strictObject({
  cpuMilli: uintShape.max(1_000_000),
  memoryMiB: uintShape.max(16_777_216),
  diskMiB: uintShape.max(1_073_741_824)
})
export type Resources = z.output<typeof resourcesShape>

/** A share of one physical GPU that a job needs, in 1/10,000; every entry is another device. */
export const gpuDemandShape = z.strictObject({
  /** Acceptable models, as providers name them; empty: any. */
  models: z.array(z.string().min(1).max(64)).max(8),
  vramMiB: uintShape.max(16_777_216),
  shareBp: uintShape.min(1).max(10_000)
})
export type GpuDemand = z.output<typeof gpuDemandShape>

const replicas = { replicas: uintShape.min(2).max(16), quorum: uintShape.min(1).max(16) }
/**
 * How a result is checked. `auditBp`: probability of an audit in 1/10,000 (strategy `audit` only). `replicate` asks that many
 * providers and takes what `quorum` of them agree on; `compare` does so within a relative tolerance in millionths.
 */
export const verificationShape = z.discriminatedUnion('strategy', [
  z.strictObject({ strategy: z.enum(['none', 'receipt', 'audit']), auditBp: uintShape.max(10_000) }),
  z.strictObject({ strategy: z.literal('replicate'), ...replicas }),
  z.strictObject({ strategy: z.literal('compare'), ...replicas, tolerancePpm: uintShape.max(1_000_000) })
])
export type Verification = z.output<typeof verificationShape>

export const jobOfferShape = z.strictObject({
  /** The creator's own count of jobs; the deal id and its nullifier hang on it, whatever is updated later. */
  jobNumber: uintShape.max(2 ** 48),
  /** CID of the module manifest. */
  module: cidShape,
  /** What the user typed, for people. */
  moduleName: z.string().max(120),
  /** CID of the input directory (inputs.json and files/). */
  inputs: cidShape,
  /** What runs the module: the manifest's engine. */
  engine: z.string().min(1).max(16),
  resources: resourcesShape,
  gpus: z.array(gpuDemandShape).max(64),
  /** Longest run, seconds: the price is for this span and the sandbox stops the job after it. */
  runSeconds: uintShape.min(1).max(604_800),
  /** Seconds beyond the network's `startSeconds` that fetching module and inputs may take: large ones need them. */
  stageSeconds: uintShape.max(3600),
  /** Most that the creator pays for the run, fees apart. */
  limit: amountShape,
  /** The offer is void after this; at most the kind's lifetime after seq. */
  validUntil: millisShape,
  /** The run must be over by then. */
  deadline: millisShape,
  verification: verificationShape,
  /** Least collateral as a share of the price in 1/10,000; the network's own share is the floor. */
  collateralBp: uintShape.max(1_000_000),
  /** Least reputation of the provider in 1/10,000. */
  minReputationBp: uintShape.max(10_000),
  /** Mediators this creator trusts. */
  mediators: z.array(addressShape).max(32),
  /** When not empty, only these providers. */
  targets: z.array(addressShape).max(32),
  /** Providers that failed or refused this job. */
  avoid: z.array(addressShape).max(64),
  /** Attempts already used up; the next deal is this attempt (0 to 7). */
  attempt: uintShape.max(7),
  /** Where the creator's deal room is. */
  peer: peerIdShape,
  /** X25519 key that inputs and outputs are sealed with; zero: they are not sealed. */
  sealKey: hashShape,
  /** The market the job is for; it matches offers of the same one. Empty: the default one. With `gpus` it says the record's shard. */
  market: z.string().max(32),
  /** Standard mediator sets that the creator trusts, by hash, beside `mediators`. */
  mediatorSets: z.array(hashShape).max(8),
  /** Who receipts and accepts results while the creator is offline; the zero address: nobody. */
  watcher: addressShape,
  /** The job has found a deal and is not to be matched before this, unix ms; 0: it is free. */
  matchedUntil: millisShape,
  /** Where its data lies, as providers name places: a hint. */
  locality: z.array(z.string().min(1).max(64)).max(8),
  /** Jobs of one id are matched all or none; size 0: it stands alone. */
  group: z.strictObject({ id: hashShape, index: uintShape.max(63), size: uintShape.max(64) })
})
export type JobOffer = z.output<typeof jobOfferShape>

/** What a plain job leaves at nothing: small content, no GPUs, no demands beyond the network's, not sealed, alone. */
export const PLAIN_JOB = {
  stageSeconds: 0, gpus: [], collateralBp: 0, minReputationBp: 0, sealKey: zeroHash, market: '', mediatorSets: [], watcher: zeroAddress, matchedUntil: 0, locality: [], group: { id: zeroHash, index: 0, size: 0 }
} satisfies Partial<JobOffer>
