import t from 'tap'
import type { Signer } from '../../../src/identity/signer.ts'
import type { SignedRecord } from '../../../src/wire/record.ts'
import { signRecord, testSigner } from '../../support/records.ts'
import { befriend, idsOf, startAttacker, startClock, startHonest, until } from './attacker.ts'

const AUTHORS = 10_000
const CAP = 400
const BONDED = 40
const BATCH = 32
const bonded = Array.from({ length: BONDED }, (_, n) => testSigner(n))
const weights = new Map(bonded.map((signer, n) => [signer.address as string, 1 + n]))
const book = { maxRegisters: CAP, weight: (account: string): number => weights.get(account) ?? 0 }

t.test('10,000 authors without a bond push out no bonded one, share what is left, and take no more room than the cap', async (t) => {
  const clock = startClock(t)
  const [victim, bystander] = [await startHonest(t, { clock, book }), await startHonest(t, { clock, book })]
  await befriend(bystander.mesh, victim.mesh)
  const own = bonded.map((signer) => signRecord(signer, 'job', { seq: clock.now() }))
  for (const record of own) await bystander.replica.publish(record)
  await until('the victim has the bonded ones', () => victim.replica.book.size === BONDED)

  const attacker = await startAttacker(t, victim)
  const sybils: Signer[] = Array.from({ length: AUTHORS }, (_, n) => testSigner(1_000 + n))
  let largest = 0
  for (let at = 0; at < AUTHORS; at += BATCH) {
    const before = victim.verdicts.length
    const batch: SignedRecord[] = sybils.slice(at, at + BATCH).map((signer) => signRecord(signer, 'job', { seq: clock.now() }))
    await attacker.send(batch)
    await until('the victim has judged it', () => victim.verdicts.slice(before).some(({ from }) => from === attacker.mesh.peerId))
    largest = Math.max(largest, victim.replica.book.size, bystander.replica.book.size)
  }
  t.ok(largest <= CAP, `${largest} records at most`)
  for (const node of [victim, bystander]) {
    t.strictSame(own.filter(({ id }) => node.replica.book.get(id) === undefined), [], 'every bonded record is still there')
    t.equal(node.replica.book.size, CAP, 'the unfunded have the rest among them')
  }
  const late = signRecord(bonded[0] as Signer, 'offer', { slot: 1, seq: clock.now() })
  await bystander.replica.publish(late)
  await until('a bonded newcomer finds room', () => victim.replica.book.get(late.id) !== undefined)
  await victim.replica.reconcileNow(bystander.mesh.peerId, AbortSignal.timeout(20_000))
  t.strictSame(idsOf(victim), idsOf(bystander), 'both kept the same ones')
})
