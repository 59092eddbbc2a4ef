import t from 'tap'
import type { Entry } from '../../src/book/book.ts'
import { createRecordStore, type RecordStore } from '../../src/book/persistence.ts'
import { PERSISTENCE } from '../../src/book/options.ts'
import { createManualClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { StoreError } from '../../src/store/errors.ts'
import { createMemoryDatastore } from '../support/memory-datastore.ts'
import { encodeRecord } from '../../src/wire/record.ts'
import { delegate, DOMAIN, fieldsOf, signRecord, T0, testSigner } from '../support/records.ts'

const alice = testSigner(1)
const secret = new Uint8Array(32).fill(1)
const bob = testSigner(2)
const entries = [signRecord(alice, 'job'), signRecord(bob, 'cancel', { account: alice.address, delegation: delegate(alice, bob.address) })].map((record, n) => ({ record, firstSeenMs: T0 + n, bytes: encodeRecord(record) }))
const byId = (list: Entry[]): Entry[] => [...list].sort((a, b) => a.record.id < b.record.id ? -1 : 1)
const loaded = async ({ store }: { store: RecordStore }): Promise<Entry[]> => (await store.load()).map((entry) => ({ ...entry, record: fieldsOf(entry.record) }))

function setup (data?: Map<string, Uint8Array>): { store: RecordStore, datastore: ReturnType<typeof createMemoryDatastore>, clock: ReturnType<typeof createManualClock> } {
  const datastore = createMemoryDatastore(data)
  const clock = createManualClock(T0)
  return { datastore, clock, store: createRecordStore({ datastore, clock, logger: silentLogger, domain: DOMAIN }, { secret }) }
}

t.test('what was put comes back, what was dropped does not', async (t) => {
  const { store, datastore } = setup()
  for (const entry of entries) store.put(entry)
  await store.flush()
  t.strictSame(byId(await loaded(setup(datastore.data))), byId(entries))
  store.drop(entries[0]?.record.id as `0x${string}`)
  await store.close()
  t.strictSame(await loaded(setup(datastore.data)), entries.slice(1))
  store.put(entries[0] as (typeof entries)[0])
  await store.flush()
  t.equal(datastore.data.size, 1, 'closed')
})

t.test('writes travel together after a moment, durably when asked', async (t) => {
  const { store, datastore, clock } = setup()
  for (const entry of entries) store.put(entry)
  t.equal(datastore.data.size, 0)
  clock.advance(PERSISTENCE.flushMs)
  await store.flush({ sync: true })
  t.equal(datastore.data.size, 2)
  t.equal(datastore.synced, 1, 'one write for both, as durable as the stricter asked for')
  store.put(entries[0] as (typeof entries)[0])
  await store.flush()
  t.equal(datastore.synced, 1)
  await store.flush({ sync: true })
  t.equal(datastore.synced, 2, 'what was written without a sync is made safe when one is asked for')
  await store.flush({ sync: true })
  t.equal(datastore.synced, 2, 'once')
})

t.test('an entry with any byte altered is dropped from disk, alone', async (t) => {
  const { store, datastore } = setup()
  for (const entry of entries) store.put(entry)
  await store.flush()
  const [key, value] = [...datastore.data].find(([name]) => name.endsWith(entries[1]?.record.id ?? '?')) as [string, Uint8Array]
  for (let at = 0; at < value.length; at += 7) {
    const data = new Map(datastore.data)
    data.set(key, value.map((byte, index) => index === at ? byte ^ 1 : byte))
    t.strictSame(await loaded(setup(data)), entries.slice(0, 1))
    t.notOk(data.has(key))
  }
  const moved = new Map(datastore.data)
  moved.set(`book/0x${'00'.repeat(32)}`, value)
  t.equal((await setup(moved).store.load()).length, 2, 'under another key it is no record')
  const elsewhere = createRecordStore({ datastore: createMemoryDatastore(new Map(datastore.data)), clock: createManualClock(T0), logger: silentLogger, domain: { ...DOMAIN, chainId: 1 } }, { secret })
  t.strictSame(await elsewhere.load(), [], 'a folder of another deployment gives nothing')
  const stranger = createRecordStore({ datastore: createMemoryDatastore(new Map(datastore.data)), clock: createManualClock(T0), logger: silentLogger, domain: DOMAIN }, { secret: new Uint8Array(32) })
  t.strictSame(await stranger.load(), [], 'what another node wrote is not taken for verified')
  t.equal((await setup(new Map([['book/x', new Uint8Array(3)]])).store.load()).length, 0)
})

t.test('what this node wrote in another form is dropped, and does not keep it from starting', async (t) => {
  const { store, datastore } = setup()
  store.put({ ...entries[0] as Entry, bytes: Uint8Array.of(1, 2, 3) })
  store.put(entries[1] as Entry)
  await store.flush()
  t.strictSame(await loaded(setup(datastore.data)), entries.slice(1))
  t.equal(datastore.data.size, 1)
})

t.test('a full disk is told of, what it did not take is kept and written when there is room', async (t) => {
  const { store, datastore, clock } = setup()
  const { batch } = datastore
  let isFull = true
  datastore.batch = async (...args) => {
    if (isFull) throw new StoreError('STORE_FULL', 'no space left')
    await batch(...args)
  }
  store.put(entries[0] as (typeof entries)[0])
  await t.rejects(store.flush({ sync: true }), { code: 'STORE_FULL' }, 'an own record is not called safe')
  t.match(store.problem, { code: 'STORE_FULL' })
  store.put(entries[1] as (typeof entries)[0])
  store.drop(entries[0]?.record.id as `0x${string}`)
  clock.advance(PERSISTENCE.retryMs)
  await store.flush().catch(() => undefined)
  t.equal(datastore.data.size, 0)
  isFull = false
  clock.advance(PERSISTENCE.retryMs)
  await store.flush()
  t.equal(store.problem, undefined)
  t.strictSame(await loaded(setup(datastore.data)), entries.slice(1), 'in the order of what was asked')
})
