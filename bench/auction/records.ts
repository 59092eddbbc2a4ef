import { hash } from 'node:crypto'
import { createSigner, type Signer } from '../../src/identity/signer.ts'
import type { JobOffer } from '../../src/wire/job-offer.ts'
import { encodeRecord } from '../../src/wire/record.ts'
import type { ResourceOffer } from '../../src/wire/resource-offer.ts'
import type { Hash } from '../../src/wire/shapes.ts'
import type { Domain } from '../../src/wire/typed-data.ts'
import { bodyShard, slotAt } from '../../src/wire/shard.ts'
import { signRecord } from '../../test/support/records.ts'

/** Keys that depend on seed and name alone. */
export function keyOf (seed: number, name: string): { key: Hash, signer: Signer } {
  const bytes = hash('sha256', `auction bench ${seed} ${name}`, 'buffer')
  return { key: `0x${bytes.toString('hex')}`, signer: createSigner(bytes) }
}

/** How long a record of the benchmarks is valid: the longest run of one. */
const VALID_MS = 30 * 60_000

/** An encoded record, and its id. `place` is the account's own number for it. */
export interface Made { readonly id: Hash, readonly bytes: Uint8Array }

export function offerRecord (domain: Domain, signer: Signer, offer: ResourceOffer, place: number, nowMs: number): Made {
  const body: ResourceOffer = { ...offer, unit: `u${place}`, validUntil: nowMs + VALID_MS }
  return made(signRecord(signer, 'offer', { domain, seq: nowMs, slot: slotAt(bodyShard(body), place), body }))
}

export function jobRecord (domain: Domain, signer: Signer, offer: JobOffer, place: number, nowMs: number): Made {
  const body: JobOffer = { ...offer, jobNumber: place, targets: [], avoid: [], validUntil: nowMs + VALID_MS, deadline: nowMs + 2 * VALID_MS }
  return made(signRecord(signer, 'job', { domain, seq: nowMs, slot: slotAt(bodyShard(body), place), body }))
}

function made (record: ReturnType<typeof signRecord>): Made {
  return { id: record.id, bytes: encodeRecord(record) }
}
