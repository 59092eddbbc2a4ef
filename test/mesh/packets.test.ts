import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GossipSub } from '@chainsafe/libp2p-gossipsub'
import { MAX_GOSSIP_BYTES, MAX_PACKET_MESSAGES } from '../../src/mesh/options.ts'
import { gatherPackets } from '../../src/mesh/packets.ts'

interface Packet { subscriptions: unknown[], messages: Array<{ data: Uint8Array }>, control?: unknown }

/** A gossipsub that remembers what is sent in the place of the real one. */
function start () {
  const sent: Array<Packet & { peer: string }> = []
  const pubsub = { sendRpc: (peer: string, packet: Packet) => sent.push({ peer, ...packet }) > 0 }
  const gather = gatherPackets(pubsub as unknown as GossipSub)
  const messages = (count: number, bytes: number): Packet['messages'] => Array.from({ length: count }, () => ({ data: new Uint8Array(bytes) }))
  return { sent, pubsub, gather, messages, counts: () => sent.map((packet) => packet.messages.length) }
}

test('what is sent to a peer meanwhile goes in one packet, control packets at once', () => {
  const { sent, pubsub, gather, messages } = start()
  gather(() => {
    for (const peer of ['a', 'b', 'a']) pubsub.sendRpc(peer, { subscriptions: [], messages: messages(1, 100) })
    pubsub.sendRpc('a', { subscriptions: [], messages: [], control: 'graft' })
    pubsub.sendRpc('b', { subscriptions: ['topic'], messages: [] })
  })
  assert.deepEqual(sent.map(({ peer, messages, control, subscriptions }) => [peer, messages.length, control, subscriptions.length]), [['a', 0, 'graft', 0], ['b', 0, undefined, 1], ['a', 2, undefined, 0], ['b', 1, undefined, 0]])
})

test('no packet has more messages or bytes than others take, but for one message that is larger; control goes with the last', () => {
  const { sent, pubsub, gather, messages, counts } = start()
  gather(() => { for (let at = 0; at < MAX_PACKET_MESSAGES + 1; at++) pubsub.sendRpc('a', { subscriptions: [], messages: messages(1, 1) }) })
  assert.deepEqual(counts(), [MAX_PACKET_MESSAGES, 1])
  sent.length = 0
  const order = messages(5, MAX_GOSSIP_BYTES / 2)
  pubsub.sendRpc('a', { subscriptions: [], messages: [...order, ...messages(1, 2 * MAX_GOSSIP_BYTES)], control: 'graft' })
  assert.deepEqual(counts(), [2, 2, 1, 1])
  assert.deepEqual(sent.map(({ control }) => control), [undefined, undefined, undefined, 'graft'])
  assert.deepEqual(sent.flatMap((packet) => packet.messages).slice(0, 5), order)
})
