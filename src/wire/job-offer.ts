import { z } from 'zod'
import { addressShape, amountShape, cidShape, millisShape, peerIdShape, uintShape } from './shapes.ts'

/** protocol/job-offer.md. What a job needs and what its creator pays at most. */

/** A demand or capacity vector. CPU in thousandths of a core, memory and disk in MiB. */
export const resourcesShape = z.strictObject({
  cpuMilli: uintShape.max(1_000_000),
  memoryMiB: uintShape.max(16_777_216),
  diskMiB: uintShape.max(1_073_741_824)
})
export type Resources = z.output<typeof resourcesShape>

/** How a result is checked. `auditBp` is the probability of an audit in 1/10,000 (strategy `audit` only). */
export const verificationShape = z.strictObject({
  strategy: z.enum(['none', 'receipt', 'audit']),
  auditBp: uintShape.max(10_000)
})
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
  resources: resourcesShape,
  /** Longest run, seconds: the price is for this span and the sandbox stops the job after it. */
  runSeconds: uintShape.min(1).max(604_800),
  /** Most that the creator pays for the run, fees apart. */
  limit: amountShape,
  /** The offer is void after this; at most the kind's lifetime after seq. */
  validUntil: millisShape,
  /** The run must be over by then. */
  deadline: millisShape,
  verification: verificationShape,
  /** Mediators this creator trusts. */
  mediators: z.array(addressShape).max(32),
  /** When not empty, only these providers. */
  targets: z.array(addressShape).max(32),
  /** Providers that failed or refused this job. */
  avoid: z.array(addressShape).max(64),
  /** Attempts already used up; the next deal is this attempt (0 to 7). */
  attempt: uintShape.max(7),
  /** Where the creator's deal room is. */
  peer: peerIdShape
})
export type JobOffer = z.output<typeof jobOfferShape>
