import t from 'tap'
import { createAuthor, type Author } from '../../src/book/author.ts'
import { createAdmission } from '../../src/book/admission.ts'
import { createBook } from '../../src/book/book.ts'
import { expiresAtMs } from '../../src/book/lifetime.ts'
import { createManualClock } from '../../src/core/clock.ts'
import { encodeRecord, type SignedRecord } from '../../src/wire/record.ts'
import { COMMON_SHARD } from '../../src/wire/shard.ts'
import type { Signer } from '../../src/identity/signer.ts'
import { createMemoryDatastore } from '../support/memory-datastore.ts'
import { delegate, DOMAIN, jobBody, MODULE_BODY, MODULE_SLOT, offerBody, T0, testSigner } from '../support/records.ts'

const alice = testSigner(1)
const bob = testSigner(2)

function setup (data?: Map<string, Uint8Array>, signer: Signer = alice, clock = createManualClock(T0)): { author: Author, datastore: ReturnType<typeof createMemoryDatastore>, clock: ReturnType<typeof createManualClock> } {
  const datastore = createMemoryDatastore(data)
  return { datastore, clock, author: createAuthor({ signer, datastore, clock }, { domain: DOMAIN }) }
}
const verdictOf = (record: SignedRecord, nowMs = T0): string => createAdmission({ book: createBook({ domain: DOMAIN }), domain: DOMAIN }).admit(encodeRecord(record), { from: 'p', path: 'gossip', nowMs }).verdict

t.test('own records are what admission accepts', async (t) => {
  const { author } = setup()
  for (const record of [await author.put('job', 0, jobBody()), await author.put('offer', 1, offerBody()), await author.put('module', MODULE_SLOT, MODULE_BODY), await author.cancel(0)]) {
    t.equal(verdictOf(record), 'accept', record.kind)
  }
  const delegation = delegate(alice, bob.address)
  const delegated = createAuthor({ signer: bob, datastore: createMemoryDatastore(), clock: createManualClock(T0) }, { domain: DOMAIN, account: alice.address, delegation })
  t.equal(verdictOf(await delegated.put('job', 0, jobBody())), 'accept', 'for another account')
})

t.test('seq is the time, always above the last one, also for records made at once', async (t) => {
  const { author, clock } = setup()
  const records = await Promise.all([1, 2, 3].map(async (limit) => await author.put('job', 0, jobBody({ limit }))))
  t.strictSame(records.map(({ seq }) => seq), [T0, T0 + 1, T0 + 2])
  clock.advance(1000)
  t.equal((await author.put('job', 1, jobBody())).seq, T0 + 1000)
})

t.test('seq is safe on disk before anything is signed', async (t) => {
  const datastore = createMemoryDatastore()
  const seen: number[] = []
  const watching: Signer = { address: alice.address, sign: (digest) => { seen.push(datastore.synced); return alice.sign(digest) } }
  const author = createAuthor({ signer: watching, datastore, clock: createManualClock(T0) }, { domain: DOMAIN })
  await author.put('job', 0, jobBody())
  await author.cancel(0)
  t.strictSame(seen, [1, 2])
  const failing = createAuthor({ signer: watching, datastore: Object.assign(createMemoryDatastore(), { put: async () => { throw new Error('disk full') } }), clock: createManualClock(T0) }, { domain: DOMAIN })
  await t.rejects(failing.put('job', 0, jobBody()), { message: 'disk full' })
  t.equal(seen.length, 2, 'nothing was signed')
})

t.test('after a restart with the clock set back, seq still rises; far back it refuses', async (t) => {
  const first = setup()
  const { seq } = await first.author.put('job', 0, jobBody())
  const again = setup(first.datastore.data, alice, createManualClock(T0 - 20_000))
  t.equal((await again.author.put('job', 0, jobBody({ limit: 2 }))).seq, seq + 1)
  const far = setup(first.datastore.data, alice, createManualClock(T0 - 60_000))
  await t.rejects(far.author.put('job', 0, jobBody()), { code: 'BOOK_CLOCK' })
})

t.test('slots are taken once, and free again after cancel or expiry, across restarts', async (t) => {
  const { author, datastore, clock } = setup()
  t.throws(() => author.freeSlot(0), { code: 'BOOK_NOT_STARTED' })
  await author.start()
  t.strictSame([author.freeSlot(0), author.freeSlot(0), author.freeSlot(COMMON_SHARD)], [0, 1, MODULE_SLOT])
  author.releaseSlot(1)
  t.equal(author.freeSlot(0), 1)
  await author.put('job', 0, jobBody())
  await author.put('job', 1, jobBody())
  const { author: again } = setup(datastore.data, alice, clock)
  await again.start()
  t.equal(again.freeSlot(0), 2)
  await again.cancel(0)
  t.equal(again.freeSlot(0), 0)
  clock.advance(2 * 3_600_000)
  t.equal(again.freeSlot(0), 1, 'its record has ended')
  const narrow = createAuthor({ signer: alice, datastore: createMemoryDatastore(), clock }, { domain: DOMAIN, quota: () => ({ market: 1, module: 0 }) })
  await narrow.start()
  narrow.freeSlot(0)
  t.throws(() => narrow.freeSlot(0), { code: 'BOOK_SLOTS_FULL' })
})

t.test('a record is due for renewal in the last quarter of its life, until it ends or is cancelled', async (t) => {
  const { author, clock } = setup()
  const offer = await author.put('offer', 0, offerBody())
  await author.put('offer', 1, offerBody())
  await author.put('module', MODULE_SLOT, MODULE_BODY)
  const due = (): number[] => author.renewable(clock.now()).map(({ slot }) => slot)
  t.strictSame(due(), [])
  clock.advance(46 * 60_000)
  t.strictSame(due(), [0, 1])
  await author.cancel(1)
  await author.put('offer', 0, offerBody())
  t.strictSame(due(), [])
  clock.advance(expiresAtMs(offer) + 3_600_000 - clock.now())
  t.strictSame(due(), [], 'what has ended needs a new decision')
  clock.advance(23 * 86_400_000)
  t.strictSame(due(), [MODULE_SLOT])
})

t.test('what others would refuse is refused here, and costs no seq', async (t) => {
  const { author } = setup()
  await t.rejects(author.put('job', MODULE_SLOT, jobBody()), { code: 'BOOK_SLOT' })
  await t.rejects(author.put('job', 0, { ...jobBody(), more: 1 }), { code: 'WIRE_INVALID' })
  await t.rejects(author.put('job', 0, jobBody({ validUntil: T0 + 2 * 3_600_000 })), { code: 'WIRE_INVALID' })
  t.equal((await author.put('job', 0, jobBody({ validUntil: T0 + 3_600_000 }))).seq, T0)
})
