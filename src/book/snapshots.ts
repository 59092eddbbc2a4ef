import type { Clock } from '../core/clock.ts'
import type { Book } from './book.ts'
import { expiryBucket } from './lifetime.ts'
import { createItemSet, type ItemSet } from './negentropy-items.ts'
import { RECONCILE } from './options.ts'

/** Above this many records a snapshot is worth keeping for a moment although the book moved on. */
const LARGE = 5_000

/**
 * The book as reconciliation compares it as of a bucket: ordered by seq in seconds, without the records that end by the
 * close of the next bucket. Two honest clocks are at most one bucket apart, so neither side is asked for what it just dropped.
 */
export interface Snapshots {
  /** `isExact` rebuilds whenever the book has changed since. */
  at: (bucket: number, isExact?: boolean) => ItemSet
}

export function createSnapshots (components: { book: Book, clock: Clock }): Snapshots {
  const { book, clock } = components
  let last: { bucket: number, version: number, atMs: number, set: ItemSet } | undefined
  return {
    at: (bucket, isExact = false) => {
      const nowMs = clock.now()
      const maxAgeMs = isExact || book.size < LARGE ? 0 : RECONCILE.snapshotMs
      if (last === undefined || last.bucket !== bucket || (last.version !== book.version && nowMs - last.atMs >= maxAgeMs)) {
        const items = []
        for (const { record } of book.members()) {
          if (expiryBucket(record) > bucket + 1) items.push({ timestamp: Math.floor(record.seq / 1000), id: record.id })
        }
        last = { bucket, version: book.version, atMs: nowMs, set: createItemSet(items) }
      }
      return last.set
    }
  }
}
