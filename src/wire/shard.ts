import { keccakBytes } from './keccak.ts'
import type { RecordHead } from './record.ts'

/**
 * protocol/record.md, "Shards". The book is cut by market and resource class, so that a node may follow part of it. Kind and
 * slot, which every record carries, say its shard; the body of an offer must say the same.
 */

/** Modules and equivocation proofs: every node follows it. */
export const COMMON_SHARD = 128
/** Slots of one shard; the last one has those from 2^31. */
const SHARD_SLOTS = 2 ** 24
/** Shards left for named markets come in pairs. */
const NAMED_PAIRS = 63

/** What a record asks for or offers, in the order of a market's shards. */
export const RESOURCE_CLASSES = ['cpu', 'gpu'] as const
export type ResourceClass = typeof RESOURCE_CLASSES[number]

/** The class of a job or resource offer: `gpu` when it names a device. */
export function resourceClass (body: { readonly gpus: readonly unknown[] }): ResourceClass {
  return body.gpus.length > 0 ? 'gpu' : 'cpu'
}

/** Shard of a market's records of one class. The empty name is the default market; named ones share 63 pairs of shards by hash. */
export function marketShard (market: string, resource: ResourceClass): number {
  const place = RESOURCE_CLASSES.indexOf(resource)
  if (market === '') return place
  const hash = keccakBytes(new TextEncoder().encode(market))
  return 2 + 2 * (new DataView(hash.buffer, hash.byteOffset).getUint32(0) % NAMED_PAIRS) + place
}

/** Shard that a job or resource offer belongs to by what it says. */
export function bodyShard (body: { readonly market: string, readonly gpus: readonly unknown[] }): number {
  return marketShard(body.market, resourceClass(body))
}

/** Shard of a slot: its top byte; all from 2^31 on are common. */
export function slotShard (slot: number): number {
  return Math.min(COMMON_SHARD, Math.floor(slot / SHARD_SLOTS))
}

/** Shard that a record travels and is kept in. A proof freezes its author everywhere, so every node needs it. */
export function recordShard (record: Pick<RecordHead, 'kind' | 'slot'>): number {
  return record.kind === 'equivocation' ? COMMON_SHARD : slotShard(record.slot)
}

/** Place of a slot within its shard, from 0: what the quota bounds. */
export function slotPlace (slot: number): number {
  return slot - slotShard(slot) * SHARD_SLOTS
}

/** The slot at a place of a shard. */
export function slotAt (shard: number, place: number): number {
  return shard * SHARD_SLOTS + place
}
