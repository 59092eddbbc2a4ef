import { PLAIN_REST, type DealRest } from '../../src/wire/deal-terms.ts'
import { PLAIN_JOB, type JobOffer } from '../../src/wire/job-offer.ts'
import type { Address, Hash } from '../../src/wire/shapes.ts'

/** Fixed values for tests of deals. */
export const hash = (byte: number): Hash => `0x${byte.toString(16).padStart(2, '0').repeat(32)}`
export const address = (byte: number): Address => `0x${byte.toString(16).padStart(2, '0').repeat(20)}`

export const CID = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'
export const PEER = '12D3KooWQxbDmYfjGupKw9vXduqarWX5CY4eJgV5pYFosQsjwFuk'

/** A job offer, changed where a test needs it. */
export function jobOffer (change: Partial<JobOffer> = {}): JobOffer {
  return {
    ...PLAIN_JOB, engine: 'wasm', jobNumber: 7, module: CID, moduleName: 'cowsay:v0.0.4', inputs: CID, resources: { cpuMilli: 100, memoryMiB: 64, diskMiB: 16 }, runSeconds: 10,
    limit: 5_000_000, validUntil: 2e12, deadline: 2e12, verification: { strategy: 'receipt', auditBp: 0 }, mediators: [], targets: [], avoid: [], attempt: 0, peer: PEER, ...change
  }
}

/** Terms' rest with short, distinct deadlines. */
export const REST: DealRest = {
  jobOfferId: hash(1), resourceOfferId: hash(2), solutionId: hash(3), verification: 1, auditBp: 0, mediatorRoot: hash(0), creatorSaltHash: hash(4), providerSaltHash: hash(5),
  startBy: 1000, submitSeconds: 20, judgeSeconds: 10, challengeSeconds: 8, claimFee: 1, auditFee: 2, parameters: hash(6), ...PLAIN_REST
}
