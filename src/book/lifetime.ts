import type { RecordHead, RecordKind } from '../wire/record.ts'
import { BUCKET_MS, FIRST_MODULE_SLOT, MARKET_SPAN_MS, MODULE_SPAN_MS, PROOF_GRACE_MS } from './options.ts'

/** protocol/book.md, "Lifetime". Everything here is a pure function of the record: replicas drop the same records in the same bucket. */

export type SlotClass = 'market' | 'module'

/** The class of a slot. All records of one register share a class, hence a span: a higher seq always outlives a lower one. */
export function slotClass (slot: number): SlotClass {
  return slot < FIRST_MODULE_SLOT ? 'market' : 'module'
}

/** Whether a record of this kind may stand in this slot. Cancels and proofs stand where the record they concern stands. */
export function isKindOfSlot (kind: RecordKind, slot: number): boolean {
  if (kind === 'module') return slotClass(slot) === 'module'
  if (kind === 'job' || kind === 'offer') return slotClass(slot) === 'market'
  return true
}

/** The time bucket of a unix time in ms. */
export function bucketOf (ms: number): number {
  return Math.floor(ms / BUCKET_MS)
}

function spanBuckets (slot: number): number {
  return (slotClass(slot) === 'market' ? MARKET_SPAN_MS : MODULE_SPAN_MS) / BUCKET_MS
}

/** First bucket in which the operator that `proof` accuses is free again: the conflicting records have expired by then. */
export function thawBucket (proof: Pick<RecordHead, 'slot' | 'seq'>): number {
  return bucketOf(proof.seq) + 1 + spanBuckets(proof.slot)
}

/** First bucket in which the record is no member any more: end of the bucket of seq, plus the span of its slot's class. */
export function expiryBucket (record: Pick<RecordHead, 'kind' | 'slot' | 'seq'>): number {
  return thawBucket(record) + (record.kind === 'equivocation' ? PROOF_GRACE_MS / BUCKET_MS : 0)
}

/** The same as unix ms: at this instant the record is gone. A body's `validUntil` must not lie behind it. */
export function expiresAtMs (record: Pick<RecordHead, 'kind' | 'slot' | 'seq'>): number {
  return expiryBucket(record) * BUCKET_MS
}
