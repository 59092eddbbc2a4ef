import t from 'tap'
import type { Entry } from '../../src/book/book.ts'
import { createExpiries } from '../../src/book/expiries.ts'
import { expiryBucket } from '../../src/book/lifetime.ts'
import { BUCKET_MS } from '../../src/book/options.ts'
import { encodeRecord } from '../../src/wire/record.ts'
import { signRecord, T0, testSigner } from '../support/records.ts'

const alice = testSigner(1)
const entryAt = (seq: number): Entry => {
  const record = signRecord(alice, 'cancel', { seq })
  return { record, firstSeenMs: T0, bytes: encodeRecord(record) }
}

t.test('members are taken out in the bucket in which they end, once', async (t) => {
  const held = new Set<Entry>()
  const expiries = createExpiries(held)
  const [first, second, late] = [entryAt(T0), entryAt(T0 + 1), entryAt(T0 + BUCKET_MS)]
  for (const entry of [first, second, late]) expiries.add(entry)
  t.same(expiries.take(expiryBucket(first.record) - 1), [])
  t.same(expiries.take(expiryBucket(first.record)), [first, second])
  t.same(expiries.take(expiryBucket(late.record)), [late])
  t.same(expiries.take(expiryBucket(late.record)), [])
})

t.test('an author that renews again and again is not remembered for each time', async (t) => {
  const entry = entryAt(T0)
  const held = new Set<Entry>([entry])
  const expiries = createExpiries(held)
  expiries.add(entry)
  const gone = { ...entry }
  for (let times = 0; times < 5_000; times++) {
    expiries.add(gone)
    expiries.leave()
  }
  const due = expiries.take(expiryBucket(entry.record))
  t.equal(due.filter((one) => one === entry).length, 1)
  t.ok(due.length < 1_100, `${due.length} are remembered`)
})
