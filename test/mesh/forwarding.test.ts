import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GossipSub, GossipsubMessage } from '@chainsafe/libp2p-gossipsub'
import { createForwarding } from '../../src/mesh/forwarding.ts'
import { LATE_MS, MAX_IDS_PER_TOPIC } from '../../src/mesh/options.ts'
import { lateClock } from './late-clock.ts'

const TOPIC = 'topic'
/** Our neighbours. The first one is where all messages come from. */
const MESH = ['source', 'b', 'c', 'd']

/** Forwarding at a node whose timers are late, to whom so many neighbours send each message; a gossipsub that remembers what it is told takes the real one's place. */
function start (copies: number) {
  const clock = lateClock()
  const msgs = new Map<string, { originatingPeers: Set<string> }>()
  /** Messages that were passed on whole, and who was told of which. */
  const passed: string[] = []
  const told: Array<{ peer: string, ids: string[] }> = []
  const waiting: typeof told = []
  const scores = { peer: 0 }
  const observed: Array<{ msgId: string, peer: string }> = []
  const pubsub = {
    sendRpc: () => true,
    mesh: new Map([[TOPIC, new Set(MESH)]]),
    mcache: { msgs, validate: (id: string) => msgs.get(id) ?? null, observeDuplicate: (msgId: string, peer: string) => { observed.push({ msgId, peer }) } },
    score: { score: () => scores.peer, deliverMessage: () => undefined },
    peerhave: new Map<string, number>(),
    handleIHave: (_peer: string, _announcements: unknown): unknown[] => [],
    pushGossip: (peer: string, { messageIDs }: { messageIDs: Uint8Array[] }) => { waiting.push({ peer, ids: messageIDs.map((id) => Buffer.from(id).toString('latin1')) }) },
    flush: () => { for (const { peer, ids } of waiting.splice(0)) told.push({ peer, ids }) },
    reportMessageValidationResult: (id: string) => { passed.push(id) }
  }
  const forwarding = createForwarding({ clock: { ...clock, wait: async () => undefined }, random: { bytes: (length) => new Uint8Array(length), below: (bound) => bound - 1 }, pubsub: pubsub as unknown as GossipSub })
  let next = 0
  const add = (isUrgent = false): string => {
    const msgId = String(next++)
    msgs.set(msgId, { originatingPeers: new Set(MESH.slice(1, copies)) })
    forwarding.add({ msgId, propagationSource: 'source', msg: { topic: TOPIC, data: new Uint8Array(100) } } as unknown as GossipsubMessage, isUrgent)
    return msgId
  }
  const turn = async (): Promise<void> => { await new Promise((resolve) => { setImmediate(resolve) }) }
  /** Until the pause is as long as such messages make it. */
  const settle = async (): Promise<void> => {
    for (let round = 0; round < 40; round++) {
      for (let message = 0; message < 10; message++) add()
      clock.fire(0)
      await turn()
    }
    passed.length = 0
    told.length = 0
  }
  return { clock, add, turn, settle, passed, told, pubsub, observed, scores }
}

test('what comes from several neighbours is announced, to those alone who have not sent it', async () => {
  const { clock, add, turn, settle, passed, told } = start(3)
  await settle()
  const ids = [add(), add()]
  clock.fire(0)
  await turn()
  assert.deepEqual(told, [{ peer: 'd', ids }])
  assert.deepEqual(passed, [])
})

test('as many as one announcement holds do not wait', async () => {
  const { add, settle, told } = start(3)
  await settle()
  for (let count = 1; count < MAX_IDS_PER_TOPIC; count++) add()
  assert.equal(told.length, 0)
  add()
  assert.deepEqual(told.map(({ ids }) => ids.length), [MAX_IDS_PER_TOPIC])
})

test('what comes from one neighbour only is passed on whole', async () => {
  const { clock, add, turn, settle, passed, told } = start(1)
  await settle()
  const id = add()
  clock.fire(0)
  await turn()
  assert.deepEqual(passed, [id])
  assert.deepEqual(told, [])
})

test('a message that gossipsub has let go of is announced to nobody', async () => {
  const { clock, add, turn, settle, told, pubsub } = start(3)
  await settle()
  const gone = add()
  const id = add()
  pubsub.mcache.msgs.delete(gone)
  clock.fire(0)
  await turn()
  assert.deepEqual(told, [{ peer: 'd', ids: [id] }])
})

test('who announces a message counts as one who sent it, as far as gossipsub reads such packets', () => {
  const { pubsub, observed, scores } = start(1)
  const id = (count: number): Uint8Array[] => Array.from({ length: count }, (_, at) => Uint8Array.of(at & 255, at >> 8))
  pubsub.handleIHave('b', [{ topicID: TOPIC, messageIDs: [Buffer.from('one'), Buffer.from('two')] }])
  assert.deepEqual(observed, [{ msgId: 'one', peer: 'b' }, { msgId: 'two', peer: 'b' }])
  pubsub.handleIHave('b', Array.from({ length: 10 }, () => ({ topicID: TOPIC, messageIDs: id(2_000) })))
  assert.equal(observed.length, 2 + 5_000)
  pubsub.peerhave.set('b', 10)
  pubsub.handleIHave('b', [{ topicID: TOPIC, messageIDs: id(1) }])
  pubsub.peerhave.clear()
  scores.peer = -501
  pubsub.handleIHave('b', [{ topicID: TOPIC, messageIDs: id(1) }])
  assert.equal(observed.length, 2 + 5_000)
})

test('a node that is behind passes on later what comes from several neighbours', async () => {
  const { clock, add, turn, settle, told } = start(3)
  await settle()
  add()
  clock.fire(LATE_MS)
  await turn()
  assert.deepEqual(told, [])
  clock.fire(0)
  await turn()
  assert.equal(told.length, 1)
})

test('what comes from one neighbour only is passed on though the timer is late', async () => {
  const { clock, add, turn, settle, passed } = start(1)
  await settle()
  add()
  clock.fire(LATE_MS)
  await turn()
  assert.equal(passed.length, 1)
})

test('what is urgent is passed on whole though the timer is late, and what waits is announced with it', async () => {
  const { clock, add, turn, settle, passed, told } = start(3)
  await settle()
  const waits = add()
  const urgent = add(true)
  clock.fire(LATE_MS)
  await turn()
  assert.deepEqual(passed, [urgent])
  assert.deepEqual(told, [{ peer: 'd', ids: [waits] }])
})
