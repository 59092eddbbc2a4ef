import t from 'tap'
import { readFileSync } from 'node:fs'
import * as Y from 'yjs'
import { createBook } from '../../src/book/book.ts'
import { createBookDocument } from '../../src/book/document.ts'
import { DOCUMENT } from '../../src/book/options.ts'
import { createManualClock } from '../../src/core/clock.ts'
import { DOMAIN, jobBody, signRecord, T0, testSigner } from '../support/records.ts'

const alice = testSigner(1)
const read = (state: Uint8Array): Record<string, Record<string, { account: string, body: { limit: number } }>> => {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, state)
  return Object.fromEntries(['jobs', 'offers', 'modules'].map((name) => [name, doc.getMap(name).toJSON()]))
}

t.test('shows the live set by id, and follows it', async (t) => {
  const clock = createManualClock(T0)
  const book = createBook({ domain: DOMAIN })
  const job = signRecord(alice, 'job')
  const module = signRecord(alice, 'module')
  book.merge(job, T0)
  const document = createBookDocument({ book, clock })
  t.strictSame(read(document.encodeState()), { jobs: {}, offers: {}, modules: {} }, 'empty before it starts')
  await document.start()
  t.teardown(document.stop)
  t.equal(read(document.encodeState()).jobs?.[job.id]?.body.limit, jobBody().limit)
  book.merge(module, T0)
  book.merge(signRecord(alice, 'cancel', { seq: T0 + 1 }), T0)
  clock.advance(DOCUMENT.flushMs)
  t.strictSame(Object.keys(read(document.encodeState()).modules ?? {}), [module.id])
  t.strictSame(read(document.encodeState()).jobs, {})
})

t.test('a burst is one transaction, and an entry that comes and goes within it leaves no trace', async (t) => {
  const clock = createManualClock(T0)
  const book = createBook({ domain: DOMAIN })
  const document = createBookDocument({ book, clock })
  await document.start()
  t.teardown(document.stop)
  const updates: Uint8Array[] = []
  document.onUpdate((update) => updates.push(update))
  for (let slot = 0; slot < 50; slot++) book.merge(signRecord(alice, 'job', { slot }), T0)
  book.merge(signRecord(alice, 'cancel', { slot: 49, seq: T0 + 1 }), T0)
  clock.advance(DOCUMENT.flushMs)
  t.equal(updates.length, 1)
  t.equal(Object.keys(read(document.encodeState()).jobs ?? {}).length, 49)
  const follower = new Y.Doc()
  Y.applyUpdate(follower, updates[0] as Uint8Array)
  t.equal(follower.getMap('jobs').size, 49, 'updates alone carry it')
})

t.test('only this node writes: there is no way in for an update, and a spoilt copy spoils no one else', async (t) => {
  const book = createBook({ domain: DOMAIN })
  const job = signRecord(alice, 'job')
  book.merge(job, T0)
  const document = createBookDocument({ book, clock: createManualClock(T0) })
  await document.start()
  t.teardown(document.stop)
  const copy = new Y.Doc()
  Y.applyUpdate(copy, document.encodeState())
  copy.getMap('jobs').delete(job.id)
  t.ok(read(document.encodeState()).jobs?.[job.id])
  t.strictSame(Object.keys(document).sort(), ['encodeState', 'flush', 'onUpdate', 'start', 'stop'])
  t.notMatch(readFileSync(new URL('../../src/book/document.ts', import.meta.url), 'utf8'), /applyUpdate/)
})

t.test('churn does not make it grow without end', async (t) => {
  const clock = createManualClock(T0)
  const book = createBook({ domain: DOMAIN })
  const document = createBookDocument({ book, clock })
  await document.start()
  t.teardown(document.stop)
  let rebuilt = 0
  document.onUpdate((_, isNew) => { if (isNew) rebuilt++ })
  for (let step = 0; step < DOCUMENT.minDeleted + 10; step++) {
    book.merge(signRecord(alice, 'job', { seq: T0 + step }), T0)
    document.flush()
  }
  t.equal(rebuilt, 1)
  t.ok(document.encodeState().length < 3000, `${document.encodeState().length} bytes`)
  t.equal(Object.keys(read(document.encodeState()).jobs ?? {}).length, 1)
})

t.test('yjs is not loaded before it is needed', async (t) => {
  t.notMatch(readFileSync(new URL('../../src/book/document.ts', import.meta.url), 'utf8'), /^import (?!type).*'yjs'/m)
})
