import t from 'tap'
import { createAdmission } from '../../src/book/admission.ts'
import { createBook, type Book } from '../../src/book/book.ts'
import { createIntake, type Intake } from '../../src/book/intake.ts'
import { createSignaturePool } from '../../src/book/signature-pool.ts'
import { createSlabs, SLAB_BYTES } from '../../src/book/slab.ts'
import { createManualClock } from '../../src/core/clock.ts'
import { silentLogger as logger } from '../../src/core/logger.ts'
import { encodeRecord, MAX_RECORD_BYTES } from '../../src/wire/record.ts'
import { DOMAIN, jobBody, signRecord, T0, testSigner } from '../support/records.ts'

const alice = testSigner(1)

function createWay (): { book: Book, intake: Intake } {
  const book = createBook({ domain: DOMAIN })
  const clock = createManualClock(T0)
  const pool = createSignaturePool({ clock, logger }, { size: 0 })
  return { book, intake: createIntake({ admissions: createAdmission({ book, domain: DOMAIN }), pool, clock, merge: (record, nowMs, bytes) => book.merge(record, nowMs, { bytes }) }) }
}

t.test('records that are kept keep nothing of the message that they came in', async (t) => {
  const { book, intake } = createWay()
  const records = Array.from({ length: 30 }, (_, slot) => signRecord(alice, 'job', { slot, seq: T0, body: jobBody({ jobNumber: slot }) }))
  const encodings = records.map(encodeRecord)
  const message = new Uint8Array(Buffer.concat(encodings))
  let at = 0
  const admissions = await intake(encodings.map(({ length }) => message.subarray(at, at += length)), 'peer', 'fetch')
  t.ok(admissions.every(({ verdict }) => verdict === 'accept'))
  message.fill(0)
  for (const [index, record] of records.entries()) {
    const entry = book.get(record.id)
    t.strictSame(entry?.bytes, encodings[index])
    t.strictSame({ body: entry?.record.body, signature: entry?.record.signature }, { body: record.body, signature: record.signature })
    t.ok((entry?.bytes.buffer.byteLength ?? Infinity) <= SLAB_BYTES)
  }
})

t.test('copies share memory that is smaller than the longest record, long ones have their own, and none overlaps', async (t) => {
  t.ok(SLAB_BYTES < MAX_RECORD_BYTES)
  const copy = createSlabs()
  const lengths = [700, 1, 0, 2048, 2049, MAX_RECORD_BYTES, ...Array.from({ length: 40 }, (_, index) => 500 + 37 * index)]
  const sources = lengths.map((length, index) => new Uint8Array(length).fill(index + 1))
  const copies = sources.map(copy)
  const isCopy = (bytes: Uint8Array, index: number): boolean => bytes.length === lengths[index] && bytes.every((byte) => byte === index + 1)
  t.equal(copies[1]?.buffer, copies[0]?.buffer)
  for (const { buffer, byteLength } of copies) t.ok(buffer.byteLength === byteLength || buffer.byteLength === SLAB_BYTES)
  for (const source of sources) source.fill(0)
  t.ok(copies.every(isCopy))
})
