import type { Entry } from './book.ts'
import { expiryBucket } from './lifetime.ts'

/** Members by the time bucket in which they end. */
export interface Expiries {
  add: (entry: Entry) => void
  /** It left before its end. */
  leave: () => void
  /** Takes out and returns what has ended by `bucket`; some of it may have left before. */
  take: (bucket: number) => Entry[]
}

/** Below this a sweep is not worth its while. */
const MIN_SWEEP = 1024

/** Lists, in which who left stays until it would have ended or they are half of all: cheaper than a set for each bucket. @param held - all members. */
export function createExpiries (held: { readonly size: number, values: () => Iterable<Entry> }): Expiries {
  const lists = new Map<number, Entry[]>()
  let gone = 0

  const add = (entry: Entry): void => {
    const bucket = expiryBucket(entry.record)
    const list = lists.get(bucket)
    if (list === undefined) lists.set(bucket, [entry])
    else list.push(entry)
  }
  return {
    add,
    leave: () => {
      if (++gone < held.size + MIN_SWEEP) return
      lists.clear()
      gone = 0
      for (const entry of held.values()) add(entry)
    },
    take: (bucket) => {
      const due = [...lists.keys()].filter((expiry) => expiry <= bucket)
      return due.flatMap((expiry) => {
        const list = lists.get(expiry) as Entry[]
        lists.delete(expiry)
        // Those that leave now are told one by one.
        gone -= list.length
        return list
      })
    }
  }
}
