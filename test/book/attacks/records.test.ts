import secp256k1 from 'secp256k1/bindings.js'
import t, { type Test } from 'tap'
import { bytesToHex, hexToBytes } from 'viem'
import type { SignedRecord } from '../../../src/wire/record.ts'
import { DOMAIN, jobBody, MODULE_SLOT, signRecord, T0, testSigner } from '../../support/records.ts'
import { befriend, idsOf, scoreOf, startAttacker, startClock, startHonest, startScene, until, verdictOn, type Attacker, type Honest } from './attacker.ts'

const alice = testSigner(1)
const mallory = testSigner(66)
const HOUR_MS = 3_600_000
const INVALID_POINTS = -100

/** What every attack must leave behind: two equal books with these records, and nobody honest punished. */
async function assertUnharmed (t: Pick<Test, 'strictSame' | 'ok'>, victim: Honest, bystander: Honest, members: readonly SignedRecord[]): Promise<void> {
  const expected = members.map(({ id }) => id as string).sort()
  await until('both books hold what they should', () => idsOf(victim).join() === expected.join() && idsOf(bystander).join() === expected.join())
  t.strictSame(bystander.verdicts.filter(({ verdict }) => verdict === 'reject'), [], 'nothing bad was passed on')
  t.ok((scoreOf(bystander, victim.mesh.peerId) ?? -1) >= 0 && (scoreOf(victim, bystander.mesh.peerId) ?? -1) >= 0, 'nobody honest was punished')
}
/** The attacker shows that it is still heard, or that it is not punished, by a record that stands. */
async function stillHeard (victim: Honest, attacker: Attacker, slot: number): Promise<SignedRecord> {
  const own = signRecord(mallory, 'job', { slot, seq: victim.clock.now() })
  await attacker.send([own])
  await until('a record of the attacker\'s own is taken', () => victim.replica.book.get(own.id) !== undefined)
  return own
}

t.test('a forged author is rejected, goes no further, and costs whoever sent it', async (t) => {
  const { victim, bystander, attacker } = await startScene(t)
  const job = signRecord(alice, 'job')
  await bystander.replica.publish(job)
  const forged = { ...signRecord(mallory, 'job', { slot: 3, account: alice.address }), operator: alice.address }
  t.equal(await verdictOn(victim, attacker, async () => { await attacker.send([forged]) }), 'reject')
  t.ok((scoreOf(victim, attacker.mesh.peerId) ?? 0) <= INVALID_POINTS, `score ${scoreOf(victim, attacker.mesh.peerId) ?? 'gone'}`)
  await assertUnharmed(t, victim, bystander, [job])
})

t.test('a malleated signature is the same record: known, never an equivocation, and no way in for a new one', async (t) => {
  const { victim, bystander, attacker } = await startScene(t)
  const job = signRecord(alice, 'job')
  await victim.replica.publish(job)
  await until('the bystander has it', () => bystander.replica.book.size === 1)
  t.equal(await verdictOn(victim, attacker, async () => { await attacker.send([malleate(job)]) }), 'ignore', 'of a record that is held')
  t.equal(await verdictOn(victim, attacker, async () => { await attacker.send([malleate(signRecord(alice, 'job', { slot: 1 }))]) }), 'reject', 'of one that is not')
  t.notOk(victim.replica.book.isFrozen(job) || bystander.replica.book.isFrozen(job))
  await assertUnharmed(t, victim, bystander, [job])
})

t.test('nobody takes back what another said', async (t) => {
  const { victim, bystander, attacker } = await startScene(t)
  const job = signRecord(alice, 'job')
  await victim.replica.publish(job)
  await until('the bystander has it', () => bystander.replica.book.size === 1)
  // Signed by another in alice's register; and rightly signed, in the attacker's own register of the same slot.
  const foreign = { ...signRecord(mallory, 'cancel', { account: alice.address, seq: T0 + 1 }), operator: alice.address }
  const own = signRecord(mallory, 'cancel', { seq: T0 + 1 })
  t.equal(await verdictOn(victim, attacker, async () => { await attacker.send([foreign]) }), 'reject')
  t.equal(await verdictOn(victim, attacker, async () => { await attacker.send([own]) }), 'accept')
  await assertUnharmed(t, victim, bystander, [job, own])
  t.strictSame(bystander.replica.book.live('job').map(({ record }) => record.id), [job.id])
})

t.test('what was superseded or cancelled does not come back, also after the newer one\'s offer ran out, nor what ended', async (t) => {
  const clock = startClock(t)
  const { victim, bystander, attacker } = await startScene(t, { clock })
  const [first, second] = [signRecord(alice, 'job', { seq: T0 }), signRecord(alice, 'job', { seq: T0 + 500, body: jobBody({ validUntil: T0 + 60_000 }) })]
  const [taken, cancel] = [signRecord(alice, 'job', { slot: 1 }), signRecord(alice, 'cancel', { slot: 1, seq: T0 + 500 })]
  for (const record of [first, second, taken, cancel]) await victim.replica.publish(record)
  await until('the bystander has both heads', () => bystander.replica.book.size === 2)
  const replay = async (record: SignedRecord): Promise<string> => await verdictOn(victim, attacker, async () => { await attacker.send([record, signRecord(alice, 'job', { slot: 8192, seq: clock.now() })]) })
  t.equal(await replay(first), 'ignore')
  t.equal(await replay(taken), 'ignore')

  clock.advance(10 * 60_000)
  t.ok(clock.now() > T0 + 60_000, 'the newer offer ran out by its own account')
  t.equal(await replay(first), 'ignore', 'its record stands nevertheless')
  t.equal(await replay(taken), 'ignore')
  await assertUnharmed(t, victim, bystander, [second, cancel])

  clock.advance(HOUR_MS)
  t.strictSame([victim.replica.book.size, bystander.replica.book.size], [0, 0], 'all has ended')
  for (const record of [first, second, taken, cancel]) t.equal(await replay(record), 'ignore', `${record.kind} of slot ${record.slot}`)
  t.ok((scoreOf(victim, attacker.mesh.peerId) ?? -1) >= 0, 'old news is no offence')
  await assertUnharmed(t, victim, bystander, [])
})

t.test('records of another chain or contract are nothing here', async (t) => {
  const { victim, bystander, attacker } = await startScene(t)
  const others = [{ ...DOMAIN, chainId: 1 }, { ...DOMAIN, market: mallory.address }]
  for (const domain of others) {
    t.equal(await verdictOn(victim, attacker, async () => { await attacker.send([signRecord(alice, 'job', { domain })], domain) }), 'ignore', 'said openly')
    t.equal(await verdictOn(victim, attacker, async () => { await attacker.send([signRecord(alice, 'job', { domain })]) }), 'reject', 'passed off as ours')
  }
  await assertUnharmed(t, victim, bystander, [])
})

t.test('a jump to the highest seq blocks no slot', async (t) => {
  const { victim, bystander, attacker } = await startScene(t)
  for (const seq of [Number.MAX_SAFE_INTEGER, victim.clock.now() + 90_000]) {
    t.equal(await verdictOn(victim, attacker, async () => { await attacker.send([signRecord(alice, 'job', { seq })]) }), 'ignore', String(seq))
  }
  const late = signRecord(alice, 'job', { seq: victim.clock.now() })
  await victim.replica.publish(late)
  await assertUnharmed(t, victim, bystander, [late])
})

t.test('an author whose clock is five minutes off: too early is refused until its time comes, too late is old but stands', async (t) => {
  const { victim, bystander, attacker } = await startScene(t)
  const { clock } = victim
  const early = signRecord(alice, 'job', { seq: clock.now() + 300_000 })
  const late = signRecord(alice, 'job', { slot: 1, seq: clock.now() - 300_000 })
  t.equal(await verdictOn(victim, attacker, async () => { await attacker.send([early]) }), 'ignore')
  t.equal(await verdictOn(victim, attacker, async () => { await attacker.send([late]) }), 'accept')
  await assertUnharmed(t, victim, bystander, [late])
  clock.advance(300_000)
  const own = await stillHeard(victim, attacker, 1)
  // Other bytes: gossip does not look at a message twice.
  t.equal(await verdictOn(victim, attacker, async () => { await attacker.send([early, own]) }), 'accept', 'the same record in its time')
  await assertUnharmed(t, victim, bystander, [late, early, own])
})

t.test('a node whose clock is five minutes off says so when it compares books, and harms nobody', async (t) => {
  const clock = startClock(t)
  const [victim, bystander] = [await startHonest(t, { clock }), await startHonest(t, { clock })]
  const off = await startHonest(t, { clock: startClock(t, T0 + 301_000) })
  await Promise.all([befriend(bystander.mesh, victim.mesh), befriend(off.mesh, victim.mesh)])
  await t.rejects(off.replica.reconcileNow(victim.mesh.peerId, AbortSignal.timeout(20_000)), { code: 'BOOK_CLOCK' })
  const [past, present] = [signRecord(alice, 'job', { seq: clock.now() }), signRecord(mallory, 'module', { slot: MODULE_SLOT, seq: clock.now() + 300_000 })]
  await victim.replica.publish(past)
  await off.replica.publish(present)
  await until('gossip still reaches it', () => off.replica.book.get(past.id) !== undefined)
  t.notOk(victim.replica.book.get(present.id), 'what it says is early here')
  await assertUnharmed(t, victim, bystander, [past])
})

t.test('a batch that is harmless here and forged elsewhere is not passed on: nobody can have an honest relay punished', async (t) => {
  const clock = startClock(t)
  // Ten seconds ahead: what is from the future for the victim, the bystander looks at.
  const { victim, bystander, attacker } = await startScene(t, { clock, bystanderClock: startClock(t, T0 + 11_000) })
  const held = signRecord(alice, 'job')
  await victim.replica.publish(held)
  await until('the bystander has it', () => bystander.replica.book.size === 1)
  const members = [held]
  for (let slot = 0; slot < 6; slot++) {
    const bait = signRecord(mallory, 'job', { slot, seq: clock.now() })
    members.push(bait)
    const forged = { ...signRecord(alice, 'job', { slot: 1, seq: clock.now() + 35_000 }), signature: held.signature }
    t.equal(await verdictOn(victim, attacker, async () => { await attacker.send([bait, forged]) }), 'ignore')
    t.ok(victim.replica.book.get(bait.id), 'what stands is taken')
  }
  await victim.replica.reconcileNow(bystander.mesh.peerId, AbortSignal.timeout(20_000))
  await assertUnharmed(t, victim, bystander, members)
})

t.test('one forged record in a batch keeps the others of the batch out, and another who does not lie brings them', async (t) => {
  const victim = await startHonest(t)
  const [attacker, friend] = [await startAttacker(t, victim), await startAttacker(t, victim)]
  const good = signRecord(alice, 'job')
  t.equal(await verdictOn(victim, attacker, async () => { await attacker.send([good, { ...signRecord(alice, 'job', { slot: 1 }), slot: MODULE_SLOT }]) }), 'reject')
  t.equal(victim.replica.book.size, 0)
  t.equal(await verdictOn(victim, friend, async () => { await friend.send([good]) }), 'accept')
})

/** (r, n - s). The compact form has no room for it: the top bit of a high s is read as the parity. */
function malleate (record: SignedRecord): SignedRecord {
  const bytes = hexToBytes(record.signature)
  bytes[32] = (bytes[32] as number) & 0x7f
  return { ...record, signature: bytesToHex(Uint8Array.from([...bytes.subarray(0, 32), ...secp256k1.privateKeyNegate(bytes.slice(32))])) }
}
