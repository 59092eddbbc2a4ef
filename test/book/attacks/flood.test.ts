import fc from 'fast-check'
import t from 'tap'
import { BOOK_DEFAULTS, GOSSIP } from '../../../src/book/options.ts'
import { encodeBatch } from '../../../src/wire/record-batch.ts'
import { encodeRecord, type SignedRecord } from '../../../src/wire/record.ts'
import { DOMAIN, signRecord, testSigner } from '../../support/records.ts'
import { befriend, idsOf, scoreOf, soon, startAttacker, startHonest, startScene, TOPIC, until, type Attacker, type Honest } from './attacker.ts'

const alice = testSigner(1)
const mallory = testSigner(66)
const forged = (slot: number): SignedRecord => ({ ...signRecord(mallory, 'job', { slot, account: alice.address }), operator: alice.address })

/** Gossipsub behind a mesh, as an attacker uses it and as the victim's is looked into. */
interface Gossipsub {
  topics: Map<string, Set<string>>
  sendRpc: (peer: string, rpc: object) => boolean
  streamsInbound: Map<string, unknown>
  streamsOutbound: Map<string, { push: (bytes: Uint8Array) => void }>
}
const gossipsubOf = ({ mesh }: Attacker | Honest): Gossipsub => mesh.libp2p.services['gossip'] as unknown as Gossipsub
const isGone = (victim: Honest, attacker: Attacker): boolean => scoreOf(victim, attacker.mesh.peerId) === undefined

/** A new record still goes from the victim to the bystander and back. */
async function assertWorking (victim: Honest, bystander: Honest): Promise<void> {
  for (const [from, to, slot] of [[victim, bystander, 100], [bystander, victim, 101]] as const) {
    const record = signRecord(testSigner(2), 'job', { slot, seq: from.clock.now() })
    await from.replica.publish(record)
    await until('an honest record arrives', () => to.replica.book.get(record.id) !== undefined)
  }
}

t.test('a flood of bad signatures: the flooder is cut off and kept out after a bounded number of looks', async (t) => {
  const { victim, bystander, attacker } = await startScene(t)
  const messages = Array.from({ length: 1_000 }, (_, slot) => encodeBatch(DOMAIN, [encodeRecord(forged(slot))]))
  for (const message of messages) await attacker.sendBytes(message)
  await until('the flooder is gone', () => isGone(victim, attacker))
  const judged = victim.verdicts.filter(({ from, verdict }) => from === attacker.mesh.peerId && verdict === 'reject').length
  t.ok(judged <= GOSSIP.maxQueued, `${judged} of ${messages.length} messages were looked at`)
  // The dial itself may succeed, since the refusal comes after the handshake.
  await attacker.mesh.connect(victim.mesh.addresses()[0] ?? '', { signal: soon() }).catch(() => undefined)
  await until('it is refused', () => attacker.mesh.peers().every(({ peerId }) => peerId !== victim.mesh.peerId))
  t.ok(isGone(victim, attacker))
  await assertWorking(victim, bystander)
  t.strictSame(idsOf(victim), idsOf(bystander))
  t.ok((scoreOf(bystander, victim.mesh.peerId) ?? -1) >= 0)
})

t.test('a flood of subscriptions fills no memory, and ends with the flooder cut off', async (t) => {
  const { victim, bystander, attacker } = await startScene(t)
  const gossipsub = gossipsubOf(attacker)
  let topic = 0
  let widest = 0
  while (!isGone(victim, attacker) && topic < 500_000) {
    for (let packet = 0; packet < 50; packet++) {
      const subscriptions = Array.from({ length: 100 }, () => ({ subscribe: true, topic: `/lily/records/1/${topic++}` }))
      // The one topic that counts, joined and left in turn.
      gossipsub.sendRpc(victim.mesh.peerId, { subscriptions: [...subscriptions, { subscribe: packet % 2 === 0, topic: TOPIC }], messages: [] })
    }
    await until('the victim has read on or ended it', () => isGone(victim, attacker) || gossipsub.streamsOutbound.has(victim.mesh.peerId))
    await new Promise((resolve) => { setImmediate(resolve) })
    widest = Math.max(widest, gossipsubOf(victim).topics.size)
  }
  t.ok(isGone(victim, attacker), 'cut off')
  t.ok(widest <= BOOK_DEFAULTS.shards.length, `${widest} topics were remembered`)
  await assertWorking(victim, bystander)
})

t.test('oversized, truncated, nested and mutated messages are rejected and throw nothing', async (t) => {
  const { victim, bystander } = await startScene(t)
  const good = encodeBatch(DOMAIN, [encodeRecord(signRecord(alice, 'job'))])
  const cases: Array<[string, Uint8Array]> = [
    ['nothing', new Uint8Array(0)],
    ['a batch with a byte missing', good.subarray(0, good.length - 1)],
    ['a batch with a byte too many', Uint8Array.from([...good, 0])],
    ['a message above the limit', new Uint8Array(65_537)],
    ['arrays in arrays', new Uint8Array(60_000).fill(0x81)],
    ['a map that claims four thousand million entries', Uint8Array.from([0xba, 0xff, 0xff, 0xff, 0xff])],
    ['a string that claims more bytes than there are', Uint8Array.from([0x5b, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff])],
    ['a batch without records', encodeBatch(DOMAIN, [])],
    ['a batch of too many', encodeBatch(DOMAIN, Array.from({ length: 33 }, (_, n) => Uint8Array.of(n)))],
    ['a record above the limit', encodeBatch(DOMAIN, [new Uint8Array(16_385)])]
  ]
  let attacker: Attacker | undefined
  for (const [index, [what, bytes]] of cases.entries()) {
    // A peer is heard four times at most.
    if (index % 3 === 0) attacker = await startAttacker(t, victim)
    const sender = attacker as Attacker
    const before = scoreOf(victim, sender.mesh.peerId) ?? 0
    await sender.sendBytes(bytes)
    await until(`${what} costs its sender`, () => (scoreOf(victim, sender.mesh.peerId) ?? -Infinity) < before)
    t.pass(what)
  }
  await assertWorking(victim, bystander)
  t.strictSame(idsOf(victim), idsOf(bystander))
})

t.test('mutated batches change no book, whatever they say', async (t) => {
  const { victim, bystander } = await startScene(t)
  const held = signRecord(alice, 'job')
  await victim.replica.publish(held)
  const good = encodeBatch(DOMAIN, [encodeRecord(held)])
  await until('the bystander has it', () => bystander.replica.book.size === 1)
  const attackers = await Promise.all(Array.from({ length: 3 }, async () => await startAttacker(t, victim)))
  let turn = 0
  await fc.assert(fc.asyncProperty(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }), async (edits) => {
    const bytes = Uint8Array.from(good)
    for (const [at, byte] of edits) bytes[at % bytes.length] = byte
    const attacker = attackers[turn++ % attackers.length] as Attacker
    if (!isGone(victim, attacker) && Buffer.compare(bytes, good) !== 0) await attacker.sendBytes(bytes)
  }), { numRuns: 300, seed: 8 })
  await until('whoever sent them is gone', () => attackers.every((attacker) => isGone(victim, attacker)))
  t.strictSame(idsOf(victim), [held.id])
  await assertWorking(victim, bystander)
  t.strictSame(idsOf(victim), idsOf(bystander))
})

t.test('bytes that are no gossip are passed over; a packet without end breaks off its own stream only', async (t) => {
  const { victim, bystander, attacker } = await startScene(t)
  const stream = gossipsubOf(attacker).streamsOutbound.get(victim.mesh.peerId)
  for (let n = 0; n < 200; n++) stream?.push(new Uint8Array(1 + n).fill(0xf0 + n % 16))
  // Longer than a packet may be, and never all there.
  stream?.push(new Uint8Array(1024 * 1024 + 1))
  await until('the stream is broken off', () => !gossipsubOf(victim).streamsInbound.has(attacker.mesh.peerId))
  await assertWorking(victim, bystander)
  t.strictSame(idsOf(victim), idsOf(bystander))
})

t.test('a peer id is all that a cut-off flooder loses: others are not taken for it', async (t) => {
  const { victim, bystander, attacker } = await startScene(t)
  for (let slot = 0; slot < 50; slot++) await attacker.sendBytes(encodeBatch(DOMAIN, [encodeRecord(forged(slot))]))
  await until('the flooder is gone', () => isGone(victim, attacker))
  const newcomer = await startHonest(t, { clock: victim.clock })
  await befriend(newcomer.mesh, victim.mesh)
  await assertWorking(victim, newcomer)
  await assertWorking(victim, bystander)
})

t.test('a flood that nobody can be punished for leaves room for honest gossip', async (t) => {
  const { victim, bystander, attacker } = await startScene(t)
  const foreign = { ...DOMAIN, chainId: 1 }
  const base = signRecord(mallory, 'job')
  const records = Array.from({ length: 20 }, (_, slot) => signRecord(alice, 'job', { slot, seq: victim.clock.now() }))
  let seq = victim.clock.now()
  const sendPacket = (): void => {
    const messages = Array.from({ length: 250 }, () => ({ topic: TOPIC, data: encodeBatch(foreign, [encodeRecord({ ...base, seq: seq++ })]) }))
    gossipsubOf(attacker).sendRpc(victim.mesh.peerId, { subscriptions: [], messages })
  }
  for (const record of records) {
    // Packets of many messages come faster than messages are judged.
    for (let packet = 0; packet < 4; packet++) sendPacket()
    await bystander.replica.publish(record)
  }
  await until('every honest record arrives by gossip', () => records.every(({ id }) => victim.replica.book.get(id) !== undefined))
  // Peers take turns, so the honest records may be through before the flood is.
  await until('more of the flood is judged than a queue holds', () => {
    sendPacket()
    return victim.verdicts.filter(({ from }) => from === attacker.mesh.peerId).length > GOSSIP.maxQueued
  })
  t.equal(victim.verdicts.filter(({ from, verdict }) => from === bystander.mesh.peerId && verdict === 'ignore').length, 0, 'none was dropped unread')
  t.ok((scoreOf(victim, attacker.mesh.peerId) ?? -1) >= 0, 'another deployment is no offence')
})
