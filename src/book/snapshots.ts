import type { Clock } from '../core/clock.ts'
import type { Book } from './book.ts'
import { expiryBucket } from './lifetime.ts'
import { createItemSet, type ItemSet } from './negentropy-items.ts'
import { RECONCILE } from './options.ts'

/** For each thousand records a snapshot is worth keeping this long although the book moved on, ms: a hundred times what it takes to make one. */
const AGE_PER_THOUSAND_MS = 200

/**
 * A shard of the book as reconciliation compares it as of a bucket: ordered by seq in seconds, without the records that end by the
 * close of the next bucket. Two honest clocks are at most one bucket apart, so neither side is asked for what it just dropped.
 */
export interface Snapshots {
  /** `isExact` rebuilds whenever the shard has changed since. */
  at: (shard: number, bucket: number, isExact?: boolean) => ItemSet
}

export function createSnapshots (components: { book: Book, clock: Clock }): Snapshots {
  const { book, clock } = components
  const lasts = new Map<number, { bucket: number, version: number, atMs: number, set: ItemSet }>()
  return {
    at: (shard, bucket, isExact = false) => {
      const nowMs = clock.now()
      const last = lasts.get(shard)
      const maxAgeMs = isExact ? 0 : Math.min(RECONCILE.snapshotMs, Math.floor(book.size / 1000) * AGE_PER_THOUSAND_MS)
      if (last?.bucket === bucket && (last.version === book.versionOf(shard) || nowMs - last.atMs < maxAgeMs)) return last.set
      const items = []
      for (const { record } of book.members(shard)) {
        if (expiryBucket(record) > bucket + 1) items.push({ timestamp: Math.floor(record.seq / 1000), id: record.id })
      }
      const set = createItemSet(items)
      lasts.set(shard, { bucket, version: book.versionOf(shard), atMs: nowMs, set })
      return set
    }
  }
}
