import t from 'tap'
import fc from 'fast-check'
import { createAdmission } from '../../src/book/admission.ts'
import { createBook, type Book, type Change } from '../../src/book/book.ts'
import { expiresAtMs, thawBucket } from '../../src/book/lifetime.ts'
import { BUCKET_MS } from '../../src/book/options.ts'
import { encodeRecord, type SignedRecord } from '../../src/wire/record.ts'
import { DOMAIN, jobBody, MODULE_SLOT, signRecord, T0, testSigner } from '../support/records.ts'

const HOUR = 3_600_000
const signers = [testSigner(1), testSigner(2), testSigner(3)]
const [alice, bob] = signers as [ReturnType<typeof testSigner>, ReturnType<typeof testSigner>]

/** Records that a property draws from: few authors, slots and seqs, so that they meet. `honest` has no two records of one register and seq. */
const POOL: SignedRecord[] = signers.flatMap((signer) => [0, 1].flatMap((slot) => [0, 1, 2, 3].flatMap((step) => {
  const seq = T0 + step * 1000
  return [signRecord(signer, step === 2 ? 'cancel' : 'job', { slot, seq }), signRecord(signer, 'job', { slot, seq, body: jobBody({ limit: 7 }) })]
})))
const HONEST = POOL.filter((_, index) => index % 2 === 0)
const some = (pool: readonly SignedRecord[], maxLength = 12): fc.Arbitrary<SignedRecord[]> => fc.array(fc.constantFrom(...pool), { maxLength })

function bookOf (records: Iterable<SignedRecord>, nowMs = T0 + 5000, options = {}): Book {
  const book = createBook({ domain: DOMAIN }, options)
  for (const record of records) book.merge(record, nowMs)
  return book
}
const stateOf = (book: Book): string[] => book.ids().sort()
const liveOf = (book: Book): string[] => (['job', 'offer', 'cancel', 'module'] as const).flatMap((kind) => book.live(kind).map(({ record }) => record.id)).sort()
const records = (book: Book): SignedRecord[] => [...book.members()].map(({ record }) => record)
const join = (...books: Book[]): Book => bookOf(books.flatMap(records))

t.test('merging is commutative, associative and idempotent', async (t) => {
  fc.assert(fc.property(some(HONEST), some(HONEST), some(HONEST), (a, b, c) => {
    const [x, y, z] = [bookOf(a), bookOf(b), bookOf(c)]
    t.strictSame(stateOf(join(x, y)), stateOf(join(y, x)))
    t.strictSame(stateOf(join(join(x, y), z)), stateOf(join(x, join(y, z))))
    t.strictSame(stateOf(join(x, x)), stateOf(x))
    t.strictSame(stateOf(bookOf([...a, ...b, ...c])), stateOf(join(x, y, z)), 'merging states is merging records')
  }), { numRuns: 150, seed: 1 })
})

t.test('any order and any repetition of the same records give the same book', async (t) => {
  fc.assert(fc.property(some(HONEST, 20), fc.infiniteStream(fc.nat()), (list, stream) => {
    const expected = stateOf(bookOf(list))
    const shuffled = [...list, ...list].map((record) => ({ record, key: stream.next().value as number })).sort((x, y) => x.key - y.key).map(({ record }) => record)
    t.strictSame(stateOf(bookOf(shuffled)), expected)
  }), { numRuns: 150, seed: 2 })
})

t.test('with equivocation too, replicas that exchange what they hold become equal, and what one saw freezes the author everywhere', async (t) => {
  fc.assert(fc.property(fc.array(some(POOL), { minLength: 2, maxLength: 4 }), (lists) => {
    let replicas = lists.map((list) => bookOf(list))
    const seen = new Set(replicas.flatMap((book) => book.live('equivocation').map(({ record }) => record.operator)))
    // Twice: the first exchange may reveal conflicts that no replica had seen.
    for (let round = 0; round < 2; round++) replicas = replicas.map((book) => join(book, ...replicas.filter((other) => other !== book)))
    const [first, ...others] = replicas as [Book, ...Book[]]
    for (const other of others) {
      t.strictSame(stateOf(other), stateOf(first))
      t.strictSame(liveOf(other), liveOf(first))
    }
    for (const operator of seen) t.ok(first.isFrozen({ account: operator, operator }))
  }), { numRuns: 100, seed: 3 })
})

t.test('the highest seq wins, and what it superseded never comes back', async (t) => {
  const old = signRecord(alice, 'job', { seq: T0 })
  const fresh = signRecord(alice, 'job', { seq: T0 + 10 * BUCKET_MS })
  const book = bookOf([old], T0)
  t.equal(book.merge(fresh, T0 + 10 * BUCKET_MS), 'added')
  for (let nowMs = T0 + 10 * BUCKET_MS; nowMs < T0 + 3 * HOUR; nowMs += BUCKET_MS) {
    t.ok(['superseded', 'expired'].includes(book.merge(old, nowMs)))
    t.notOk(book.get(old.id))
  }
  t.equal(book.size, 0, 'the newer one ended too')
})

t.test('a cancel binds until all that it cancelled has ended, whatever the offer claimed', async (t) => {
  for (const [kind, slot] of [['job', 3], ['offer', 3], ['module', MODULE_SLOT + 3]] as const) {
    const offer = signRecord(alice, kind, { slot })
    const cancel = signRecord(alice, 'cancel', { slot, seq: T0 + 1 })
    t.ok(expiresAtMs(cancel) >= expiresAtMs(offer), 'no cancel ends before what it cancels')
    const book = bookOf([offer, cancel], T0)
    t.strictSame(book.live(kind), [])
    t.equal(book.merge(offer, expiresAtMs(cancel) - BUCKET_MS), 'superseded')
    t.equal(book.merge(offer, expiresAtMs(cancel)), 'expired')
  }
})

t.test('a cancel reaches no slot but its author\'s own', async (t) => {
  const offer = signRecord(alice, 'job')
  const book = bookOf([offer, signRecord(bob, 'cancel', { seq: T0 + 1 }), signRecord(alice, 'cancel', { slot: 1, seq: T0 + 1 })])
  t.strictSame(book.live('job').map(({ record }) => record.id), [offer.id])
  const forged = signRecord(bob, 'cancel', { account: alice.address, seq: T0 + 1 })
  const { admit } = createAdmission({ book, domain: DOMAIN })
  const context = { from: 'p', path: 'gossip', nowMs: T0 } as const
  t.equal(admit(encodeRecord(forged), context).code, 'BOOK_DELEGATION')
  t.equal(admit(encodeRecord({ ...signRecord(alice, 'cancel', { seq: T0 + 1 }), signature: forged.signature }), context).code, 'BOOK_SIGNATURE')
})

t.test('two operators of one account, and one operator for two accounts, have registers of their own', async (t) => {
  const own = signRecord(alice, 'job')
  const delegated = signRecord(bob, 'job', { account: alice.address, seq: T0 + 1 })
  const other = signRecord(bob, 'cancel', { seq: T0 + 2 })
  const book = bookOf([own, delegated, other])
  t.strictSame(book.live('job').map(({ record }) => record.id).sort(), [own.id, delegated.id].sort())
  book.merge(signRecord(bob, 'cancel', { account: alice.address, seq: T0 + 1 }), T0)
  t.strictSame(book.live('job').map(({ record }) => record.id), [own.id], 'a freeze falls on the pair')
})

t.test('equal seq: both records are gone, the proof is a member, and the author is free again when both have ended', async (t) => {
  const [one, other] = [signRecord(alice, 'job'), signRecord(alice, 'job', { body: jobBody({ limit: 7 }) })]
  const bystander = signRecord(alice, 'offer', { slot: 9, seq: T0 })
  const later = signRecord(alice, 'offer', { slot: 8, seq: T0 + HOUR })
  const book = createBook({ domain: DOMAIN })
  const changes: string[] = []
  book.merge(one, T0)
  book.merge(bystander, T0)
  book.onChange(({ type, entry }: Change) => { changes.push(`${type} ${entry.record.kind}`) })
  t.equal(book.merge(other, T0), 'equivocation')
  t.strictSame(changes.sort(), ['added equivocation', 'removed job', 'removed offer'])
  t.strictSame(liveOf(book), [], 'the author\'s other offers are suspended as well')
  t.equal(book.merge(later, T0 + HOUR - 1000), 'added', 'it may speak, unheard')
  t.strictSame(liveOf(book), [])
  const [proof] = book.live('equivocation')
  const thawMs = thawBucket(proof?.record as SignedRecord) * BUCKET_MS
  t.ok(thawMs >= expiresAtMs(one) && thawMs >= expiresAtMs(other))
  book.collect(thawMs - 1)
  t.strictSame(liveOf(book), [])
  changes.length = 0
  book.collect(thawMs)
  t.strictSame(liveOf(book), [later.id])
  t.strictSame(changes, ['added offer'])
  t.ok(book.live('equivocation').length === 1, 'the proof outlives the freeze')
  book.collect(thawMs + HOUR)
  t.strictSame(book.live('equivocation'), [])
})

t.test('a proof is the same whoever made it and convinces a book that saw neither side', async (t) => {
  const [one, other] = [signRecord(alice, 'job'), signRecord(alice, 'cancel')]
  const made = [bookOf([one, other]), bookOf([other, one])].map((book) => book.live('equivocation')[0]?.record as SignedRecord)
  t.strictSame(made[0], made[1])
  const book = bookOf([one])
  const admitted = createAdmission({ book, domain: DOMAIN }).admit(encodeRecord(made[0] as SignedRecord), { from: 'p', path: 'gossip', nowMs: T0 })
  t.equal(admitted.verdict, 'accept')
  t.equal(book.merge(admitted.record as SignedRecord, T0), 'added')
  t.strictSame(liveOf(book), [])
})

t.test('the same record under another signature is a duplicate', async (t) => {
  const job = signRecord(alice, 'job')
  const book = bookOf([job])
  t.equal(book.merge({ ...job, signature: `0x${'11'.repeat(64)}` }, T0), 'duplicate')
  t.equal(book.live('equivocation').length, 0)
})

t.test('expiry depends on record and bucket only', async (t) => {
  fc.assert(fc.property(some(HONEST), fc.nat(2 * HOUR), fc.nat(BUCKET_MS - 1), (list, delay, within) => {
    const bucketMs = T0 + 5000 + delay - (T0 + 5000 + delay) % BUCKET_MS
    const [early, late] = [bookOf(list), bookOf(list)]
    early.collect(bucketMs)
    late.collect(bucketMs + within)
    t.strictSame(stateOf(early), stateOf(late), 'wherever in the bucket one looks')
    t.strictSame(stateOf(early), stateOf(bookOf(records(bookOf(list)), bucketMs)), 'whether it was dropped or never taken')
    for (const { record } of early.members()) t.ok(bucketMs < expiresAtMs(record))
  }), { numRuns: 60, seed: 4 })
})

t.test('seq above now and skew is refused, at the edge it is not', async (t) => {
  const book = createBook({ domain: DOMAIN })
  const record = signRecord(alice, 'job', { seq: T0 + 30_001 })
  t.equal(book.merge(record, T0), 'future')
  t.equal(book.merge(record, T0 + 1), 'added')
})

t.test('a full book keeps the same registers whatever came first, whole registers only', async (t) => {
  const pool = Array.from({ length: 12 }, (_, n) => testSigner(100 + n)).flatMap((signer) => [signRecord(signer, 'job'), signRecord(signer, 'job', { seq: T0 + 1000 })])
  fc.assert(fc.property(fc.shuffledSubarray(pool, { minLength: 16, maxLength: 24 }), fc.infiniteStream(fc.nat()), fc.boolean(), (list, stream, isWeighted) => {
    const options = { maxRegisters: 5, ...(isWeighted ? { weight: (account: string) => Number.parseInt(account.slice(2, 4), 16) } : {}) }
    const shuffled = list.map((record) => ({ record, key: stream.next().value as number })).sort((x, y) => x.key - y.key).map(({ record }) => record)
    const [a, b] = [bookOf(list, T0 + 5000, options), bookOf(shuffled, T0 + 5000, options)]
    t.equal(a.size, 5)
    const authors = (book: Book): string[] => records(book).map(({ account }) => account).sort()
    t.strictSame(authors(a), authors(b))
  }), { numRuns: 60, seed: 6 })
  const weighted = bookOf(pool, T0 + 5000, { maxRegisters: 1, weight: (account: string) => account === testSigner(105).address ? 1 : 0 })
  t.strictSame(records(weighted).map(({ account }) => account), [testSigner(105).address], 'the heaviest account stays')
})

t.test('a member that leaves is reported once, on every way out', async (t) => {
  const held = new Set<string>()
  const book = createBook({ domain: DOMAIN }, { maxRegisters: 3, maxProofs: 1 })
  book.onMember(({ type, entry }) => {
    t.equal(held.has(entry.record.id), type === 'removed')
    if (type === 'added') held.add(entry.record.id)
    else held.delete(entry.record.id)
  })
  for (const record of POOL) book.merge(record, T0 + 5000)
  t.strictSame([...held].sort(), stateOf(book))
  book.collect(T0 + 5 * HOUR)
  t.equal(held.size, 0)
})

t.test('accounts without weight share their own part of the book, whatever came first, and never displace one with weight', async (t) => {
  const pool = Array.from({ length: 60 }, (_, n) => signRecord(testSigner(200 + n), 'job'))
  const byId = (book: Book): SignedRecord[] => records(book).sort((a, b) => a.id < b.id ? -1 : 1)
  const staked = new Set(pool.slice(0, 4).map(({ account }) => account))
  const options = { maxRegisters: 10, maxFree: 3, weight: (account: string) => staked.has(account as `0x${string}`) ? 1 : 0 }
  const expected = byId(bookOf(pool, T0, options))
  t.equal(expected.length, 4 + 3)
  t.ok(pool.slice(0, 4).every(({ id }) => expected.some((record) => record.id === id)))
  fc.assert(fc.property(fc.shuffledSubarray(pool, { minLength: pool.length }), (order) => {
    t.strictSame(byId(bookOf(order, T0, options)), expected)
  }), { numRuns: 50, seed: 5 })

  const book = bookOf(pool, T0, options)
  staked.delete(pool[0]?.account as `0x${string}`)
  staked.delete(pool[1]?.account as `0x${string}`)
  book.reweigh()
  t.equal(book.size, 2 + 3, 'who withdrew its stake is one of the many')
  t.strictSame(byId(book), byId(bookOf(pool, T0, options)))
})
