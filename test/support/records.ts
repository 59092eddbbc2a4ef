import { hash } from 'node:crypto'
import { createSigner, type Signer } from '../../src/identity/signer.ts'
import { writeBody, type BodyKind } from '../../src/book/body.ts'
import { ALL_ROLES, delegationDigest, type Delegation } from '../../src/wire/delegation.ts'
import { PLAIN_JOB, type JobOffer } from '../../src/wire/job-offer.ts'
import { bodyHash, recordId, type RecordKind, type SignedRecord } from '../../src/wire/record.ts'
import { PLAIN_OFFER, type ResourceOffer } from '../../src/wire/resource-offer.ts'
import type { Address } from '../../src/wire/shapes.ts'
import type { Domain } from '../../src/wire/typed-data.ts'

/** The deployment that test records belong to. */
export const DOMAIN: Domain = { chainId: 31_337, market: '0x5fbdb2315678afecb367f032d93f642f64180aa3' }
/** Start of a time bucket. */
export const T0 = 1_700_000_040_000
export const MODULE_SLOT = 2 ** 31
const PEER = '12D3KooWGzh2hTJQzVyZQYkVr5WqPs2cM8Jr1T5Lq1hT1yJkJQ3V'
const CID = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'

/** The n-th test key; never holds anything. */
export function testSigner (n: number): Signer {
  return createSigner(hash('sha256', `lilynode test key ${n}`, 'buffer'))
}

export function jobBody (change: Partial<JobOffer> = {}): JobOffer {
  return {
    ...PLAIN_JOB, engine: 'wasm', jobNumber: 1, module: CID, moduleName: 'hello:v1', inputs: CID, resources: { cpuMilli: 1000, memoryMiB: 64, diskMiB: 16 }, runSeconds: 60, limit: 1_000_000,
    validUntil: T0, deadline: T0 + 3_600_000, verification: { strategy: 'receipt', auditBp: 0 }, mediators: [], targets: [], avoid: [], attempt: 0, peer: PEER, ...change
  }
}

export function offerBody (change: Partial<ResourceOffer> = {}): ResourceOffer {
  return {
    ...PLAIN_OFFER, unit: 'a', capacity: { cpuMilli: 4000, memoryMiB: 4096, diskMiB: 1024 }, ask: { base: 1, cpuMilliSecond: 1, memoryMiBSecond: 1, diskMiBSecond: 0 },
    engines: ['wasm'], modules: [], maxRunSeconds: 3600, mediators: [], creators: [], validUntil: T0, peer: PEER, ...change
  }
}

export const MODULE_BODY = { name: 'hello', tag: 'v1', manifest: CID }

const BODIES: Record<BodyKind, unknown> = { job: jobBody(), offer: offerBody(), module: MODULE_BODY }

/** A job that asks for a GPU: of the second shard. */
export const GPU_JOB = jobBody({ gpus: [{ models: [], vramMiB: 8192, shareBp: 10_000 }] })

/** A delegation of `account` to `operator` around T0. */
export function delegate (account: Signer, operator: Address, change: Partial<Delegation> = {}): Delegation {
  const unsigned = { account: account.address, operator, peerId: PEER, roles: ALL_ROLES, notBefore: Math.floor(T0 / 1000) - 3600, expiry: Math.floor(T0 / 1000) + 86_400, nonce: 0, ...change }
  return { ...unsigned, signature: account.sign(delegationDigest(DOMAIN, unsigned)) }
}

/** A signed record. `body` is a document of the kind, or ready bytes. */
export function signRecord (signer: Signer, kind: RecordKind, options: { slot?: number, seq?: number, body?: unknown, domain?: Domain, account?: Address, delegation?: Delegation } = {}): SignedRecord {
  const { slot = kind === 'module' ? MODULE_SLOT : 0, seq = T0, domain = DOMAIN, account = signer.address, delegation } = options
  const given = options.body ?? (kind === 'cancel' || kind === 'equivocation' ? new Uint8Array(0) : BODIES[kind])
  const body = given instanceof Uint8Array ? given : writeBody(kind as BodyKind, given)
  const head = { kind, account, operator: signer.address, slot, seq, bodyHash: bodyHash(body) }
  const id = recordId(domain, head)
  return { ...head, id, body, signature: signer.sign(id), ...(delegation === undefined ? {} : { delegation }) }
}

/** A record's fields as a plain object, however it is held. */
export function fieldsOf ({ kind, account, operator, slot, seq, bodyHash, id, body, signature, delegation }: SignedRecord): SignedRecord {
  return { kind, account, operator, slot, seq, bodyHash, id, body, signature, ...(delegation === undefined ? {} : { delegation }) }
}
