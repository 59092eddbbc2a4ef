import t from 'tap'
import fc from 'fast-check'
import secp256k1 from 'secp256k1/bindings.js'
import { bytesToHex, hexToBytes } from 'viem'
import { createAdmission, type Admission, type AdmissionContext, type Candidate } from '../../src/book/admission.ts'
import { createBook, type Book } from '../../src/book/book.ts'
import { proofOf } from '../../src/book/equivocation.ts'
import { expiresAtMs } from '../../src/book/lifetime.ts'
import { RATE_LIMITS } from '../../src/book/options.ts'
import { createTokenBuckets } from '../../src/book/token-bucket.ts'
import { encodeCbor } from '../../src/wire/cbor.ts'
import { ALL_ROLES, ROLE_BITS } from '../../src/wire/delegation.ts'
import { bodyHash, encodeRecord, MAX_RECORD_BYTES, recordId, type SignedRecord } from '../../src/wire/record.ts'
import { COMMON_SHARD, marketShard, slotAt } from '../../src/wire/shard.ts'
import { delegate, DOMAIN, GPU_JOB, jobBody, MODULE_SLOT, offerBody, signRecord, T0, testSigner } from '../support/records.ts'

const alice = testSigner(1)
const bob = testSigner(2)
const context: AdmissionContext = { from: 'peer', path: 'gossip', nowMs: T0 }
const setup = (...held: SignedRecord[]): { book: Book, judge: (record: SignedRecord | Uint8Array, change?: Partial<AdmissionContext>) => Admission } => {
  const book = createBook({ domain: DOMAIN })
  for (const record of held) book.merge(record, T0)
  const { admit } = createAdmission({ book, domain: DOMAIN })
  return { book, judge: (record, change = {}) => admit(record instanceof Uint8Array ? record : encodeRecord(record), { ...context, ...change }) }
}
const verdictOf = ({ verdict, code }: Admission): string => code === undefined ? verdict : `${verdict} ${code}`

t.test('every kind of honest record is accepted', async (t) => {
  const { judge } = setup()
  const full = offerBody({ mediators: Array.from({ length: 32 }, (_, n) => testSigner(n).address), modules: Array.from({ length: 64 }, () => 'b'.repeat(128)), creators: Array.from({ length: 32 }, () => bob.address) })
  for (const record of [
    signRecord(alice, 'job'), signRecord(alice, 'offer', { slot: 1 }), signRecord(alice, 'cancel', { slot: 2 }), signRecord(alice, 'module'), signRecord(alice, 'cancel', { slot: MODULE_SLOT + 1 }),
    signRecord(bob, 'job', { account: alice.address, delegation: delegate(alice, bob.address) }), signRecord(alice, 'offer', { slot: 3, body: full })
  ]) t.equal(verdictOf(judge(record)), 'accept', record.kind)
  t.ok(encodeRecord(signRecord(alice, 'offer', { body: full })).length < MAX_RECORD_BYTES, 'an offer with every list full fits')
})

t.test('what no honest peer relays is REJECTed', async (t) => {
  const { judge } = setup()
  const job = signRecord(alice, 'job')
  const cases: Array<[string, SignedRecord | Uint8Array, string]> = [
    ['not CBOR', Uint8Array.of(0xff), 'WIRE_MALFORMED'],
    ['too large', new Uint8Array(MAX_RECORD_BYTES + 1), 'WIRE_TOO_LARGE'],
    ['a job in a module slot', signRecord(alice, 'job', { slot: MODULE_SLOT }), 'BOOK_SLOT'],
    ['a module in a market slot', signRecord(alice, 'module', { slot: 0 }), 'BOOK_SLOT'],
    ['a GPU job in a cpu slot', signRecord(alice, 'job', { body: GPU_JOB }), 'BOOK_SLOT'],
    ['a cpu job in a GPU slot', signRecord(alice, 'job', { slot: slotAt(1, 0) }), 'BOOK_SLOT'],
    ['an offer of a named market in a slot of the default one', signRecord(alice, 'offer', { body: offerBody({ market: 'render' }) }), 'BOOK_SLOT'],
    ['another signature', { ...job, signature: signRecord(bob, 'job').signature }, 'BOOK_SIGNATURE'],
    ['an altered body', { ...job, body: signRecord(alice, 'job', { body: jobBody({ limit: 3 }) }).body }, 'BOOK_SIGNATURE'],
    ['another deployment', signRecord(alice, 'job', { domain: { ...DOMAIN, chainId: 1 } }), 'BOOK_SIGNATURE'],
    ['a body of another kind', signRecord(alice, 'job', { body: encodeCbor(offerBody()) }), 'WIRE_INVALID'],
    ['an empty body', signRecord(alice, 'job', { body: new Uint8Array(0) }), 'WIRE_MALFORMED'],
    ['a cancel with a body', signRecord(alice, 'cancel', { body: Uint8Array.of(0xa0) }), 'WIRE_INVALID'],
    ['too many mediators', signRecord(alice, 'job', { body: encodeCbor({ ...jobBody(), mediators: Array.from({ length: 33 }, () => bob.address) }) }), 'WIRE_INVALID'],
    ['validUntil behind the record\'s end', signRecord(alice, 'job', { body: jobBody({ validUntil: expiresAtMs(job) + 1 }) }), 'WIRE_INVALID']
  ]
  for (const [what, record, code] of cases) t.equal(verdictOf(judge(record)), `reject ${code}`, what)
  t.equal(verdictOf(judge(signRecord(alice, 'job', { body: jobBody({ validUntil: expiresAtMs(job) }) }))), 'accept', 'up to the end is fine')
})

t.test('a claim without a verdict does not hold', async (t) => {
  const { screen, conclude } = createAdmission({ book: createBook({ domain: DOMAIN }), domain: DOMAIN })
  const screened = screen(encodeRecord(signRecord(bob, 'job', { account: alice.address, delegation: delegate(alice, bob.address) })), context) as Candidate
  t.equal(verdictOf(conclude(screened, Uint8Array.of(1))), 'reject BOOK_DELEGATION')
  t.equal(verdictOf(conclude(screened, new Uint8Array(0))), 'reject BOOK_SIGNATURE')
  t.equal(verdictOf(conclude(screened, Uint8Array.of(1, 1))), 'accept')
  t.equal(verdictOf(conclude(screened, Uint8Array.of(1, 1, 0), 1)), 'reject BOOK_DELEGATION', 'its own begin at the second')
  t.equal(verdictOf(conclude(screened, Uint8Array.of(0, 1, 1), 1)), 'accept')
})

t.test('a signature with high s is refused, so there is one signature per key and nonce', async (t) => {
  const { judge } = setup()
  const job = signRecord(alice, 'job')
  const bytes = hexToBytes(job.signature)
  const parity = (bytes[32] as number) >> 7
  bytes[32] = (bytes[32] as number) & 0x7f
  const s = bytes.slice(32)
  const high = Uint8Array.from([...bytes.subarray(0, 32), ...secp256k1.privateKeyNegate(s)])
  t.ok((high[32] as number) >= 0x7f, 's is high')
  for (const bit of [0, 1]) {
    const forged = Uint8Array.from(high)
    forged[32] = ((forged[32] as number) & 0x7f) | ((bit ^ parity) << 7)
    t.equal(verdictOf(judge({ ...job, signature: bytesToHex(forged) })), 'reject BOOK_SIGNATURE')
  }
})

t.test('a proof that is held is a duplicate, whatever stands in the register that it names', async (t) => {
  const pair = [signRecord(alice, 'job'), signRecord(alice, 'job', { body: jobBody({ limit: 7 }) })] as const
  const proof = proofOf(DOMAIN, ...pair)
  const { judge } = setup(proof, signRecord(alice, 'job', { seq: T0 + 5 }))
  t.equal(verdictOf(judge(proof)), 'ignore BOOK_DUPLICATE')
  t.equal(judge(proof).isVerified, true)
})

t.test('what may be honest elsewhere is IGNOREd', async (t) => {
  const held = signRecord(alice, 'job', { seq: T0 + 5 })
  const { judge } = setup(held)
  const old = signRecord(alice, 'job', { slot: 4, seq: T0 - 3_700_000 })
  t.equal(verdictOf(judge(old)), 'ignore BOOK_EXPIRED')
  t.equal(verdictOf(judge(signRecord(alice, 'job', { slot: 4, seq: T0 + 30_001 }))), 'ignore BOOK_FUTURE')
  t.equal(verdictOf(judge(held)), 'ignore BOOK_DUPLICATE')
  t.equal(verdictOf(judge({ ...held, signature: `0x${'00'.repeat(64)}` })), 'ignore BOOK_DUPLICATE', 'under any signature')
  t.equal(judge(held).isVerified, true, 'the very bytes that were verified')
  t.notOk(judge({ ...held, signature: `0x${'00'.repeat(64)}` }).isVerified, 'others were not')
  t.equal(verdictOf(judge(signRecord(alice, 'job', { seq: T0 + 4 }))), 'ignore BOOK_SUPERSEDED')
  t.equal(verdictOf(judge(signRecord(alice, 'job', { slot: 8192 }))), 'ignore BOOK_QUOTA')
  t.equal(verdictOf(judge(signRecord(alice, 'module', { slot: MODULE_SLOT + 256 }))), 'ignore BOOK_QUOTA')
  t.equal(verdictOf(judge(signRecord(alice, 'cancel', { seq: T0 + 5 }))), 'accept', 'equal seq and another id is evidence')
})

t.test('a delegation must be the account\'s, for this operator, and cover seq', async (t) => {
  const { judge } = setup()
  const by = (delegation: SignedRecord['delegation'], seq = T0): SignedRecord => signRecord(bob, 'job', { account: alice.address, seq, ...(delegation === undefined ? {} : { delegation }) })
  const good = delegate(alice, bob.address)
  t.equal(verdictOf(judge(by(undefined))), 'reject BOOK_DELEGATION')
  t.equal(verdictOf(judge({ ...signRecord(alice, 'job'), delegation: good })), 'reject BOOK_DELEGATION', 'an account needs none')
  t.equal(verdictOf(judge(by(delegate(bob, bob.address)))), 'reject BOOK_DELEGATION', 'of another account')
  t.equal(verdictOf(judge(by(delegate(alice, bob.address, { account: bob.address })))), 'reject BOOK_DELEGATION', 'naming another account')
  t.equal(verdictOf(judge(by(delegate(alice, testSigner(3).address)))), 'reject BOOK_DELEGATION', 'to another operator')
  t.equal(verdictOf(judge(by({ ...good, signature: delegate(bob, bob.address).signature }))), 'reject BOOK_DELEGATION', 'forged')
  t.equal(verdictOf(judge(by({ ...good, nonce: 9 }))), 'reject BOOK_DELEGATION', 'altered')
  t.equal(verdictOf(judge(by(good))), 'accept')
  t.equal(verdictOf(judge(by({ ...good, nonce: 9 }))), 'reject BOOK_DELEGATION', 'altered, after the true one is remembered')
  const seconds = T0 / 1000
  t.equal(verdictOf(judge(by(delegate(alice, bob.address, { notBefore: seconds + 1 })))), 'reject BOOK_DELEGATION')
  t.equal(verdictOf(judge(by(delegate(alice, bob.address, { notBefore: seconds, expiry: seconds })))), 'reject BOOK_DELEGATION')
  t.equal(verdictOf(judge(by(delegate(alice, bob.address, { notBefore: seconds, expiry: seconds + 1 })), { nowMs: T0 + 600_000 })), 'accept', 'the record\'s time counts, not ours')
})

t.test('a proof must prove', async (t) => {
  const { judge } = setup()
  const [one, other] = [signRecord(alice, 'job'), signRecord(alice, 'cancel')]
  const proof = proofOf(DOMAIN, one, other)
  const rebuild = (change: Partial<SignedRecord>): SignedRecord => {
    const record = { ...proof, ...change }
    return { ...record, id: recordId(DOMAIN, { ...record, bodyHash: bodyHash(record.body) }) }
  }
  t.equal(verdictOf(judge(rebuild({ operator: bob.address, account: bob.address }))), 'reject BOOK_PROOF', 'against another')
  t.equal(verdictOf(judge(rebuild({ slot: 1 }))), 'reject BOOK_PROOF', 'for another slot')
  t.equal(verdictOf(judge(rebuild({ seq: T0 + 1 }))), 'reject BOOK_PROOF', 'for another seq')
  t.equal(verdictOf(judge(rebuild({ signature: one.signature }))), 'reject BOOK_PROOF', 'with a signature in its empty place')
  t.equal(verdictOf(judge(proofOf(DOMAIN, one, one))), 'reject BOOK_PROOF', 'of one record twice')
  t.equal(verdictOf(judge(proofOf(DOMAIN, one, { ...other, signature: one.signature }))), 'reject BOOK_PROOF', 'with a forged side')
  t.equal(verdictOf(judge(rebuild({ body: Uint8Array.of(0x80) }))), 'reject WIRE_INVALID')
  t.equal(verdictOf(judge(proof)), 'accept')
})

t.test('a delegate signs only what its roles allow', async (t) => {
  const { judge } = setup()
  const by = (kind: 'job' | 'offer' | 'module' | 'cancel', roles: number): SignedRecord => signRecord(bob, kind, { account: alice.address, delegation: delegate(alice, bob.address, { roles }) })
  for (const [kind, role] of [['job', ROLE_BITS.creator], ['offer', ROLE_BITS.provider], ['module', ROLE_BITS.moduleProvider]] as const) {
    t.equal(verdictOf(judge(by(kind, role))), 'accept', kind)
    t.equal(verdictOf(judge(by(kind, ALL_ROLES - role))), 'reject BOOK_DELEGATION', `${kind} with every other role`)
  }
  t.equal(verdictOf(judge(by('cancel', ROLE_BITS.solver))), 'accept')
  t.equal(verdictOf(judge(by('cancel', 0))), 'reject BOOK_DELEGATION', 'a delegation of nothing')
})

t.test('a proof against a delegate carries the delegation', async (t) => {
  const { judge } = setup()
  const delegation = delegate(alice, bob.address)
  const pair = ['job', 'cancel'].map((kind) => signRecord(bob, kind as 'job', { account: alice.address, delegation })) as [SignedRecord, SignedRecord]
  t.equal(verdictOf(judge(proofOf(DOMAIN, ...pair))), 'accept')
  const forged = { ...delegation, signature: delegate(bob, bob.address).signature }
  t.equal(verdictOf(judge(proofOf(DOMAIN, ...pair.map((record) => ({ ...record, delegation: forged })) as [SignedRecord, SignedRecord]))), 'reject BOOK_DELEGATION')
  const bare = pair.map(({ delegation: _, ...record }) => record) as [SignedRecord, SignedRecord]
  t.equal(verdictOf(judge(proofOf(DOMAIN, ...bare))), 'reject BOOK_DELEGATION', 'a stranger cannot freeze an account with keys of its own')
})

t.test('an author has a rate, and only its own signatures use it up', async (t) => {
  const { judge } = setup()
  const { burst } = RATE_LIMITS.author
  for (let n = 0; n < burst + 50; n++) t.match(verdictOf(judge({ ...signRecord(alice, 'job', { seq: T0 + n % 20_000 }), signature: `0x${'11'.repeat(64)}` }, { from: `liar ${n % 7}` })), 'reject')
  t.equal(verdictOf(judge(signRecord(alice, 'job'))), 'accept', 'a stranger\'s forgeries cost the author nothing')
  for (let n = 1; n < burst; n++) judge(signRecord(alice, 'cancel', { slot: 1, seq: T0 + n }))
  t.equal(verdictOf(judge(signRecord(alice, 'job', { slot: 2 }))), 'ignore BOOK_RATE')
  t.equal(verdictOf(judge(signRecord(alice, 'job', { slot: 2 }), { path: 'fetch' })), 'accept', 'reconciliation brings the rest')
  t.equal(verdictOf(judge(signRecord(bob, 'job'))), 'accept', 'others are not affected')
  t.equal(verdictOf(judge(signRecord(alice, 'job', { slot: 2 }), { nowMs: T0 + 1000 })), 'accept', 'it comes back with time')
})

t.test('a peer has a rate that is used up before any signature is looked at', async (t) => {
  const { judge } = setup()
  const junk = { ...signRecord(alice, 'job'), signature: `0x${'11'.repeat(64)}` } as SignedRecord
  let looked = 0
  for (let n = 0; n < RATE_LIMITS.gossipPeer.burst + 20; n++) if (verdictOf(judge(junk)) === 'reject BOOK_SIGNATURE') looked++
  t.equal(looked, RATE_LIMITS.gossipPeer.burst)
  t.equal(verdictOf(judge(junk, { from: 'another' })), 'reject BOOK_SIGNATURE')
})

t.test('token buckets forget the longest unused key, never grow, and do not run backwards', async (t) => {
  const buckets = createTokenBuckets({ perSecond: 1, burst: 1, maxKeys: 2 })
  t.ok(buckets.take('a', 0))
  t.notOk(buckets.take('a', 0))
  t.notOk(buckets.has('a', -60_000))
  t.ok(buckets.take('b', 0) && buckets.take('c', 0))
  t.ok(buckets.has('a', 0), 'forgotten')
  t.notOk(buckets.has('c', 999))
  t.ok(buckets.has('c', 1000))
})

t.test('foreign bytes never throw', async (t) => {
  const { judge } = setup()
  const delegation = delegate(alice, bob.address)
  const good = [signRecord(alice, 'job'), signRecord(bob, 'offer', { account: alice.address, delegation }), proofOf(DOMAIN, signRecord(alice, 'job'), signRecord(alice, 'cancel'))].map(encodeRecord)
  fc.assert(fc.property(fc.nat(2), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }), (which, edits) => {
    const bytes = Uint8Array.from(good[which] as Uint8Array)
    for (const [at, byte] of edits) bytes[at % bytes.length] = byte
    const { verdict, code, record } = judge(bytes, { path: 'fetch' })
    t.equal(verdict === 'accept', record !== undefined)
    t.equal(verdict === 'accept', code === undefined)
    t.not(code, 'INTERNAL')
  }), { numRuns: 600, seed: 8 })
})

t.test('a record is judged in the shard of its topic, before anything that costs', async (t) => {
  const { judge } = setup()
  const gpu = signRecord(alice, 'job', { slot: slotAt(1, 0), body: GPU_JOB })
  t.equal(verdictOf(judge(gpu, { shard: 1 })), 'accept')
  t.equal(verdictOf(judge(gpu, { shard: 0 })), 'reject BOOK_TOPIC')
  t.equal(verdictOf(judge({ ...gpu, signature: signRecord(bob, 'job').signature, body: new Uint8Array(0) }, { shard: 0 })), 'reject BOOK_TOPIC')
  t.equal(verdictOf(judge(signRecord(alice, 'cancel', { slot: slotAt(1, 5) }), { shard: 1 })), 'accept')
  t.equal(verdictOf(judge(signRecord(alice, 'cancel', { slot: MODULE_SLOT }), { shard: COMMON_SHARD })), 'accept')
  const proof = proofOf(DOMAIN, signRecord(alice, 'job'), signRecord(alice, 'job', { body: jobBody({ limit: 7 }) }))
  t.equal(verdictOf(judge(proof, { shard: 0 })), 'reject BOOK_TOPIC', 'whatever slot it is about')
  t.equal(verdictOf(judge(proof, { shard: COMMON_SHARD })), 'accept')
})

t.test('what the node does not follow is IGNOREd, the quota is each shard\'s own', async (t) => {
  const { judge } = setup()
  const render = marketShard('render', 'cpu')
  t.equal(verdictOf(judge(signRecord(alice, 'job', { slot: slotAt(render, 0), body: jobBody({ market: 'render' }) }))), 'ignore BOOK_SHARD')
  t.equal(verdictOf(judge(signRecord(alice, 'job', { slot: slotAt(1, 8191), body: GPU_JOB }))), 'accept')
  t.equal(verdictOf(judge(signRecord(alice, 'job', { slot: slotAt(1, 8192), body: GPU_JOB }))), 'ignore BOOK_QUOTA')
})
