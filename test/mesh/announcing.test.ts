import { randomBytes } from 'node:crypto'
import type { GossipSub, GossipsubMessage } from '@chainsafe/libp2p-gossipsub'
import t from 'tap'
import { createAnnouncing, nameOf } from '../../src/mesh/announcing.ts'
import { messageId } from '../../src/mesh/gossip.ts'
import { MAX_ANNOUNCEMENTS, MAX_PACKET_MESSAGES, SCORE_THRESHOLDS } from '../../src/mesh/options.ts'
import { startPair, text, TOPIC, untilGrafted, untilSubscribed } from './nodes.ts'

interface Internals { sendRpcInBatch: () => void, handleReceivedRpc: (from: unknown, packet: { messages: unknown[] }) => Promise<void> }

t.test('a neighbour that lacks what it is told of asks for it, and gets it in packets that it takes', async (t) => {
  const [a, b] = await startPair(t)
  const count = 2 * MAX_PACKET_MESSAGES + 50
  const messages = Array.from({ length: count }, (_, at) => text(`message ${at}`))
  const came = new Set<string>()
  const complete = Promise.withResolvers<undefined>()
  a.topics.subscribe(TOPIC, { maxBytes: 100, validate: () => 'accept' })
  b.topics.subscribe(TOPIC, { maxBytes: 100, validate: (data) => {
    came.add(new TextDecoder().decode(data))
    if (came.size === count) complete.resolve(undefined)
    return 'accept'
  } })
  await Promise.all([untilSubscribed(a, TOPIC, 1), untilSubscribed(b, TOPIC, 1), untilGrafted(a, TOPIC, 1)])
  const [atA, atB] = [a, b].map(({ libp2p }) => libp2p.services['gossip'] as GossipSub & Internals) as [GossipSub & Internals, GossipSub & Internals]
  const packets: number[] = []
  const { handleReceivedRpc } = atB
  atB.handleReceivedRpc = async (from, packet) => {
    if (packet.messages.length > 0) packets.push(packet.messages.length)
    await handleReceivedRpc.call(atB, from, packet)
  }
  // What is lost on its way.
  atA.sendRpcInBatch = () => undefined
  for (const message of messages) await a.topics.publish(TOPIC, message)
  const announce = createAnnouncing(atA)
  announce(messages.map((data) => ({ msgId: nameOf(messageId(TOPIC, data)), propagationSource: a.libp2p.peerId, msg: { topic: TOPIC, data } }) as GossipsubMessage))
  await complete.promise
  t.same(packets.toSorted((one, other) => other - one), [MAX_PACKET_MESSAGES, MAX_PACKET_MESSAGES, 50])
})

t.test('a peer that announces what it never sends is not listened to any more', async (t) => {
  const [victim, liar] = await startPair(t)
  for (const mesh of [victim, liar]) mesh.topics.subscribe(TOPIC, { maxBytes: 100, validate: () => 'accept' })
  await Promise.all([untilSubscribed(victim, TOPIC, 1), untilSubscribed(liar, TOPIC, 1)])
  const atVictim = victim.libp2p.services['gossip'] as GossipSub & { gossipTracer: { gossipsubIWantFollowupMs: number }, handleIHave: (peer: string, announcements: unknown) => unknown[] }
  const atLiar = liar.libp2p.services['gossip'] as unknown as { sendRpc: (peer: string, packet: object) => boolean }
  // Ten seconds else.
  atVictim.gossipTracer.gossipsubIWantFollowupMs = 100
  const lie = (): object => ({ topicID: TOPIC, messageIDs: [randomBytes(32)] })
  const tooLow = new Promise<void>((resolve) => {
    atVictim.addEventListener('gossipsub:heartbeat', () => {
      if ((victim.peers()[0]?.score ?? 0) < SCORE_THRESHOLDS.gossipThreshold) resolve()
      // As many as are read between two heartbeats.
      for (let packet = 0; packet < MAX_ANNOUNCEMENTS; packet++) atLiar.sendRpc(victim.peerId, { subscriptions: [], messages: [], control: { ihave: [lie()], iwant: [], graft: [], prune: [], idontwant: [] } })
    })
  })
  t.equal(atVictim.handleIHave(liar.peerId, [lie()]).length, 1, 'it is asked at first')
  await tooLow
  t.same(atVictim.handleIHave(liar.peerId, [lie()]), [])
})
