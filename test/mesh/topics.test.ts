import { createHash, randomBytes } from 'node:crypto'
import t from 'tap'
import { createSystemClock } from '../../src/core/clock.ts'
import { createSystemRandom } from '../../src/core/random.ts'
import type { Mesh } from '../../src/mesh/mesh.ts'
import { messageId } from '../../src/mesh/gossip.ts'
import { PING_INTERVAL_MS } from '../../src/mesh/options.ts'
import type { Validation } from '../../src/mesh/topics.ts'
import { recordsTopic } from '../../src/wire/topics.ts'
import { OTHER_TOPIC, soon, startNode, startPair, text, TOPIC, untilGrafted, untilPeers, untilSubscribed } from './nodes.ts'

/** Subscribes `mesh`; `next` resolves with the text of the following message once it was judged. */
function listen (mesh: Mesh, verdict: (message: string) => Validation = () => 'accept'): { seen: string[], from: string[], next: () => Promise<string> } {
  const seen: string[] = []
  const from: string[] = []
  let waiting: Array<(message: string) => void> = []
  mesh.topics.subscribe(TOPIC, {
    maxBytes: 100,
    validate: (data, sender) => {
      const message = new TextDecoder().decode(data)
      seen.push(message)
      from.push(sender)
      for (const resolve of waiting) resolve(message)
      waiting = []
      return verdict(message)
    }
  })
  return { seen, from, next: async () => await new Promise((resolve) => { waiting.push(resolve) }) }
}

/** a - b - c in a row: what reaches c went through b. */
async function startRow (t: Parameters<typeof startNode>[0], verdict?: (message: string) => Validation): Promise<{ a: Mesh, b: Mesh, c: Mesh, atA: ReturnType<typeof listen>, atB: ReturnType<typeof listen>, atC: ReturnType<typeof listen> }> {
  const [a, b, c] = await Promise.all([startNode(t), startNode(t), startNode(t)]).then((nodes) => nodes.map((node) => node.mesh)) as [Mesh, Mesh, Mesh]
  // Keeps discovery from joining the ends.
  a.penalise(c.peerId, 1e9, 'test')
  const row = { a, b, c, atA: listen(a), atB: listen(b, verdict), atC: listen(c) }
  await a.connect(b.addresses()[0] ?? '', { signal: soon() })
  await c.connect(b.addresses()[0] ?? '', { signal: soon() })
  await Promise.all([untilSubscribed(a, TOPIC, 1), untilSubscribed(b, TOPIC, 2), untilSubscribed(c, TOPIC, 1)])
  await untilGrafted(b, TOPIC, 2)
  return row
}

t.test('an accepted message travels on; `from` is who passed it, and nobody hears itself', async (t) => {
  const { a, b, atA, atB, atC } = await startRow(t)
  const arrived = atC.next()
  await a.topics.publish(TOPIC, text('hello'))
  t.equal(await arrived, 'hello')
  t.same(atB.from, [a.peerId])
  t.same(atC.from, [b.peerId])
  t.same(atA.seen, [])
})

t.test('what a neighbour sends while a message waits to be passed on is not sent back to it', async (t) => {
  /** This node passes on when it is told to: its share of the spread is one that no other timer has. */
  const LATER_MS = 123_457
  const held: Array<() => void> = []
  const clock = createSystemClock()
  const slow = await startNode(t, {
    clock: { ...clock, after: (ms, task) => { if (ms !== LATER_MS) return clock.after(ms, task); held.push(task); return () => undefined } },
    random: { ...createSystemRandom(), below: (bound) => bound === PING_INTERVAL_MS ? bound : LATER_MS }
  })
  const [origin, fast, far] = await Promise.all([startNode(t), startNode(t, { random: { ...createSystemRandom(), below: () => 0 } }), startNode(t)])
  const nodes = [slow.mesh, origin.mesh, fast.mesh, far.mesh] as const
  // Keeps discovery from joining what is to stay apart: far hangs on slow alone.
  for (const node of [origin.mesh, fast.mesh]) node.penalise(far.mesh.peerId, 1e9, 'test')
  const atFar = listen(far.mesh)
  for (const node of nodes.slice(0, 3)) node.topics.subscribe(TOPIC, { maxBytes: 100, validate: () => 'accept' })
  for (const [from, to] of [[slow, origin], [fast, origin], [fast, slow], [far, slow]] as const) await from.mesh.connect(to.mesh.addresses()[0] ?? '', { signal: soon() })
  await Promise.all([untilSubscribed(slow.mesh, TOPIC, 3), untilSubscribed(origin.mesh, TOPIC, 2), untilSubscribed(fast.mesh, TOPIC, 2)])
  await Promise.all([untilGrafted(slow.mesh, TOPIC, 3), untilGrafted(fast.mesh, TOPIC, 2)])
  const gossip = slow.mesh.libp2p.services['gossip'] as { sendRpc: (peer: string, rpc: { messages: unknown[] }) => boolean, handleReceivedMessage: (from: { toString: () => string }, message: unknown) => Promise<void> }
  const { sendRpc, handleReceivedMessage } = gossip
  const sentTo: string[] = []
  const cameFrom = new Map<string, () => void>()
  const came = async (peer: string): Promise<void> => { await new Promise<void>((resolve) => { cameFrom.set(peer, resolve) }) }
  gossip.sendRpc = (peer, rpc) => { if (rpc.messages.length > 0) sentTo.push(peer); return sendRpc.call(gossip, peer, rpc) }
  gossip.handleReceivedMessage = async (from, message) => { await handleReceivedMessage.call(gossip, from, message); cameFrom.get(from.toString())?.() }
  const both = Promise.all([came(origin.mesh.peerId), came(fast.mesh.peerId)])
  const arrived = atFar.next()
  await origin.mesh.topics.publish(TOPIC, text('news'))
  await both
  t.same(sentTo, [])
  for (const pass of held) pass()
  t.equal(await arrived, 'news')
  t.same(sentTo, [far.mesh.peerId])
})

/** origin - middle - far in a row; what `middle` wants to pass on later is done when the test does what is held. */
async function startHeldRow (t: Parameters<typeof startNode>[0]): Promise<{ origin: Mesh, middle: Mesh, far: Mesh, held: Set<() => void>, join: () => Promise<void> }> {
  /** Its share of the spread is one that no other timer has. */
  const LATER_MS = 123_457
  const held = new Set<() => void>()
  const clock = createSystemClock()
  const middle = (await startNode(t, {
    clock: { ...clock, after: (ms, task) => { if (ms !== LATER_MS) return clock.after(ms, task); held.add(task); return () => { held.delete(task) } } },
    random: { ...createSystemRandom(), below: (bound) => bound === PING_INTERVAL_MS ? bound : LATER_MS }
  })).mesh
  const [origin, far] = (await Promise.all([startNode(t), startNode(t)])).map(({ mesh }) => mesh) as [Mesh, Mesh]
  origin.penalise(far.peerId, 1e9, 'test')
  const join = async (): Promise<void> => { for (const end of [origin, far]) await end.connect(middle.addresses()[0] ?? '', { signal: soon() }) }
  return { origin, middle, far, held, join }
}

t.test('messages accepted while others wait are passed on in one packet', async (t) => {
  const { origin, middle, far, held, join } = await startHeldRow(t)
  const atMiddle = listen(middle)
  const atFar = listen(far)
  listen(origin)
  await join()
  await Promise.all([untilSubscribed(origin, TOPIC, 1), untilSubscribed(middle, TOPIC, 2), untilSubscribed(far, TOPIC, 1)])
  await untilGrafted(middle, TOPIC, 2)
  const gossip = far.libp2p.services['gossip'] as { handleReceivedRpc: (from: unknown, packet: { messages: unknown[] }) => Promise<void> }
  const { handleReceivedRpc } = gossip
  const packets: number[] = []
  gossip.handleReceivedRpc = async (from, packet) => {
    if (packet.messages.length > 0) packets.push(packet.messages.length)
    await handleReceivedRpc.call(gossip, from, packet)
  }
  for (const message of ['one', 'two', 'three']) {
    const judged = atMiddle.next()
    await origin.topics.publish(TOPIC, text(message))
    await judged
  }
  // The verdict on the last one is known a turn after it was asked for.
  await new Promise((resolve) => { setImmediate(resolve) })
  t.equal(held.size, 1)
  const arrived = atFar.next()
  for (const pass of held) pass()
  await arrived
  t.same(packets, [3])
})

t.test('an urgent message does not wait for others, and takes with it what waits', async (t) => {
  const { origin, middle, far, held, join } = await startHeldRow(t)
  const atMiddle = listen(middle)
  const atFar = listen(far)
  listen(origin)
  const urgent = Promise.withResolvers<string>()
  for (const mesh of [origin, middle, far]) mesh.topics.subscribe(OTHER_TOPIC, { maxBytes: 100, isUrgent: true, validate: (data) => { if (mesh === far) urgent.resolve(new TextDecoder().decode(data)); return 'accept' } })
  await join()
  for (const topic of [TOPIC, OTHER_TOPIC]) await Promise.all([untilSubscribed(origin, topic, 1), untilSubscribed(middle, topic, 2), untilSubscribed(far, topic, 1), untilGrafted(middle, topic, 2)])
  const judged = atMiddle.next()
  await origin.topics.publish(TOPIC, text('patient'))
  await judged
  await new Promise((resolve) => { setImmediate(resolve) })
  const [first] = held
  const added = new Promise<void>((resolve) => { const { add } = held; held.add = (task) => { add.call(held, task); resolve(); return held } })
  await origin.topics.publish(OTHER_TOPIC, text('urgent'))
  await added
  t.equal(held.size, 1)
  t.notOk(first !== undefined && held.has(first), 'the first timer is gone')
  const arrived = atFar.next()
  for (const pass of held) pass()
  t.equal(await arrived, 'patient')
  t.equal(await urgent.promise, 'urgent')
})

t.test('ignored and rejected messages stop here; only a rejected one costs its sender', async (t) => {
  const { a, b, atB, atC } = await startRow(t, (message) => message as Validation)
  for (const message of ['ignore', 'reject']) {
    const judged = atB.next()
    await a.topics.publish(TOPIC, text(message))
    await judged
    const score = b.peers().find((peer) => peer.peerId === a.peerId)?.score ?? NaN
    if (message === 'ignore') t.ok(score >= 0, `score ${score}`)
  }
  const arrived = atC.next()
  await a.topics.publish(TOPIC, text('accept'))
  t.equal(await arrived, 'accept')
  t.same(atC.seen, ['accept'])
  const score = b.peers().find((peer) => peer.peerId === a.peerId)?.score ?? NaN
  t.ok(score < -50, `score ${score}`)
})

t.test('a validator that throws costs the sender nothing and stops the message', async (t) => {
  const { a, b, atB, atC } = await startRow(t, (message) => { if (message === 'boom') throw new Error('bug'); return 'accept' })
  const judged = atB.next()
  await a.topics.publish(TOPIC, text('boom'))
  await judged
  const arrived = atC.next()
  await a.topics.publish(TOPIC, text('fine'))
  t.equal(await arrived, 'fine')
  t.ok((b.peers().find((peer) => peer.peerId === a.peerId)?.score ?? NaN) >= 0)
})

t.test('a peer that floods invalid messages is cut off and refused', async (t) => {
  const [victim, attacker] = await startPair(t)
  let judged = 0
  victim.topics.subscribe(TOPIC, { maxBytes: 100, validate: () => { judged++; return 'reject' } })
  attacker.topics.subscribe(TOPIC, { maxBytes: 100, validate: () => 'accept' })
  await Promise.all([untilSubscribed(attacker, TOPIC, 1), untilSubscribed(victim, TOPIC, 1)])
  const cut = untilPeers(victim, (peers) => peers.length === 0)
  for (let i = 0; i < 500; i++) await attacker.topics.publish(TOPIC, text(`junk ${i}`))
  await cut
  t.ok(judged < 500, `${judged} messages were judged`)
  await untilPeers(attacker, (peers) => peers.length === 0)
  // The dial itself may succeed, since the refusal comes after the handshake.
  await attacker.connect(victim.addresses()[0] ?? '', { signal: soon() }).catch(() => undefined)
  await untilPeers(attacker, (peers) => peers.length === 0)
  t.same(victim.peers(), [])
  await t.rejects(victim.connect(attacker.addresses()[0] ?? '', { signal: soon() }), { code: 'MESH_UNREACHABLE' })
})

t.test('of a packet full of invalid messages no more are judged than it takes to be cut off', async (t) => {
  const [victim, attacker] = await startPair(t)
  let judged = 0
  victim.topics.subscribe(TOPIC, { maxBytes: 100, validate: () => { judged++; return 'reject' } })
  attacker.topics.subscribe(TOPIC, { maxBytes: 100, validate: () => 'accept' })
  await Promise.all([untilSubscribed(attacker, TOPIC, 1), untilSubscribed(victim, TOPIC, 1)])
  const [atVictim, atAttacker] = [victim, attacker].map(({ libp2p }) => libp2p.services['gossip']) as unknown as Array<{ sendRpc: (peer: string, packet: object) => boolean, handleReceivedRpc: (from: unknown, packet: { messages: unknown[] }) => Promise<void> }>
  const handled = new Promise<void>((resolve) => {
    const handleReceivedRpc = atVictim?.handleReceivedRpc.bind(atVictim)
    Object.assign(atVictim ?? {}, { handleReceivedRpc: async (from: unknown, packet: { messages: unknown[] }) => {
      await handleReceivedRpc?.(from, packet)
      if (packet.messages.length > 0) resolve()
    } })
  })
  atAttacker?.sendRpc(victim.peerId, { subscriptions: [], messages: Array.from({ length: 100 }, (_, at) => ({ topic: TOPIC, data: text(`junk ${at}`) })) })
  await handled
  t.ok(judged < 20, `${judged} messages were judged`)
})

t.test('a packet is handled when the one before it is', async (t) => {
  const [a, b] = await startPair(t)
  a.topics.subscribe(TOPIC, { maxBytes: 100, validate: () => 'accept' })
  b.topics.subscribe(TOPIC, { maxBytes: 100, validate: () => 'accept' })
  await Promise.all([untilSubscribed(a, TOPIC, 1), untilSubscribed(b, TOPIC, 1), untilGrafted(b, TOPIC, 1)])
  const [atA, atB] = [a, b].map(({ libp2p }) => libp2p.services['gossip']) as unknown as [{ handleReceivedRpc: (from: unknown, packet: { messages: unknown[] }) => Promise<void> }, { sendRpc: (peer: string, packet: object) => boolean }]
  const order: string[] = []
  const both = Promise.withResolvers<undefined>()
  atA.handleReceivedRpc = async (_from, { messages }) => {
    if (messages.length === 0) return
    order.push('begins')
    // Both came with one read: the second would begin by now.
    await new Promise((resolve) => { setImmediate(resolve) })
    order.push('ends')
    if (order.length === 4) both.resolve(undefined)
  }
  for (const message of ['one', 'two']) atB.sendRpc(a.peerId, { subscriptions: [], messages: [{ topic: TOPIC, data: text(message) }] })
  await both.promise
  t.same(order, ['begins', 'ends', 'begins', 'ends'])
})

t.test('a peer that gossipsub thinks ill of is cut off with its next heartbeat', async (t) => {
  const [a, b] = await startPair(t)
  b.topics.subscribe(TOPIC, { maxBytes: 100, validate: () => 'accept' })
  await untilSubscribed(a, TOPIC, 1)
  const cut = untilPeers(a, (peers) => peers.length === 0)
  const gossip = a.libp2p.services['gossip'] as { score: { addPenalty: (peer: string, count: number, reason: string) => void } }
  gossip.score.addPenalty(b.peerId, 100, 'test')
  await cut
})

t.test('the ids of messages are told in every third heartbeat', async (t) => {
  const { mesh } = await startNode(t)
  listen(mesh)
  await mesh.topics.publish(TOPIC, text('news'))
  const gossip = mesh.libp2p.services['gossip'] as unknown as { heartbeatTicks: number, gossip: Map<string, unknown>, emitGossip: (candidates: Map<string, Set<string>>) => void }
  t.same([1, 2, 3].map((heartbeatTicks) => {
    gossip.heartbeatTicks = heartbeatTicks
    gossip.emitGossip(new Map([[TOPIC, new Set(['peer'])]]))
    return gossip.gossip.size
  }), [0, 0, 1])
  gossip.gossip.clear()
})

t.test('an oversized message is rejected without being judged', async (t) => {
  const { a, atB, atC } = await startRow(t)
  await a.topics.publish(TOPIC, text('x'.repeat(101)))
  const arrived = atB.next()
  await a.topics.publish(TOPIC, text('small'))
  await arrived
  t.same(atB.seen, ['small'])
  t.notOk(atC.seen.includes('x'.repeat(101)))
})

t.test('publishing needs no subscriber, but a known topic and a bounded size', async (t) => {
  const { mesh } = await startNode(t)
  await mesh.topics.publish(TOPIC, text('alone'))
  await mesh.topics.publish(TOPIC, text('alone'))
  await t.rejects(mesh.topics.publish('/other', text('')), { code: 'MESH_TOPIC_UNKNOWN' })
  await t.rejects(mesh.topics.publish(TOPIC, new Uint8Array(256 * 1024 + 1)), { code: 'MESH_MESSAGE_TOO_LARGE' })
  const leave = mesh.topics.subscribe(TOPIC, { maxBytes: 1, validate: () => 'accept' })
  t.throws(() => mesh.topics.subscribe(TOPIC, { maxBytes: 1, validate: () => 'accept' }), { code: 'MESH_TOPIC_TAKEN' })
  t.throws(() => mesh.topics.subscribe('/other', { maxBytes: 1, validate: () => 'accept' }), { code: 'MESH_TOPIC_UNKNOWN' })
  leave()
  leave()
  mesh.topics.subscribe(TOPIC, { maxBytes: 1, validate: () => 'accept' })
})

t.test('the id of a message is the hash of its topic, a zero byte and its data, whatever their size', async (t) => {
  for (const bytes of [0, 1, 800, 16 * 1024, 256 * 1024]) {
    const data = randomBytes(bytes)
    t.same(Buffer.from(messageId('/tópic', data)), createHash('sha256').update('/tópic\0').update(data).digest())
  }
})

t.test('the same bytes on another topic are another message', async (t) => {
  t.notSame(messageId(TOPIC, text('x')), messageId(OTHER_TOPIC, text('x')))
  t.same(messageId(TOPIC, text('x')), messageId(TOPIC, text('x')))
  const { a, b, atB } = await startRow(t)
  b.topics.subscribe(OTHER_TOPIC, { maxBytes: 100, validate: () => 'ignore' })
  await untilSubscribed(a, OTHER_TOPIC, 1)
  await a.topics.publish(OTHER_TOPIC, text('replayed'))
  const arrived = atB.next()
  await a.topics.publish(TOPIC, text('replayed'))
  t.equal(await arrived, 'replayed')
})

t.test('a node that is in the topics of every shard is known in all of them, whether it joins before or after it connects, and is not punished', async (t) => {
  const topics = [OTHER_TOPIC, ...Array.from({ length: 129 }, (_, shard) => recordsTopic(31_337, shard))]
  const [a, early, late] = await Promise.all([1, 2, 3].map(async () => (await startNode(t, { topics, targetPeers: 0 })).mesh)) as [Mesh, Mesh, Mesh]
  const join = (mesh: Mesh, names: readonly string[]): void => { for (const topic of names) mesh.topics.subscribe(topic, { maxBytes: 100, validate: () => 'accept' }) }
  join(a, topics)
  join(early, topics)
  join(late, [OTHER_TOPIC])
  for (const mesh of [early, late]) await mesh.connect(a.addresses()[0] ?? '', { signal: soon() })
  await Promise.all(topics.map(async (topic) => { await untilSubscribed(a, topic, topic === OTHER_TOPIC ? 2 : 1) }))
  join(late, topics.slice(1))
  await Promise.all(topics.map(async (topic) => { await untilSubscribed(a, topic, 2) }))
  t.ok(a.peers().every(({ score }) => score >= 0))
  t.same(a.topics.readers(topics[77] ?? '').sort(), [early.peerId, late.peerId].sort())
  t.equal(a.peers().length, 2)
})
