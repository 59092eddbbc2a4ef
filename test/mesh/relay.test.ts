import { join } from 'node:path'
import type { CircuitRelayService } from '@libp2p/circuit-relay-v2'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import t, { type Test } from 'tap'
import { silentLogger as logger } from '../../src/core/logger.ts'
import type { Mesh, MeshOptions } from '../../src/mesh/mesh.ts'
import { createBlocks, type Blocks } from '../../src/store/blocks.ts'
import { freeAddress, soon, startNode, text, TOPIC, untilGrafted, untilPeers, type TestNode } from './nodes.ts'

/** A node that nobody can dial: it listens nowhere. */
const startHidden = async (t: Test, options: Partial<MeshOptions>): Promise<TestNode> => await startNode(t, { listen: [], reachability: 'private', ...options })

/** Resolves once the node holds places at `count` relays that are no others than `allowed`. */
async function untilRelays (mesh: Mesh, count: number, without: readonly string[] = []): Promise<string[]> {
  for (;;) {
    const { relays } = mesh.reachability()
    if (relays.length >= count && !relays.some((relay) => without.includes(relay)) && mesh.addresses().length >= count) return relays
    await new Promise<void>((resolve) => { mesh.libp2p.addEventListener('self:peer:update', () => { resolve() }, { once: true }) })
  }
}

const isRelayed = (address: string): boolean => address.includes('/p2p-circuit')

t.test('nodes that nobody can dial take places at two relays, find each other and talk through them', async (t) => {
  const relays = await Promise.all([startNode(t, { relay: true }), startNode(t, { relay: true })])
  const bootstrap = relays.flatMap(({ mesh }) => mesh.addresses())
  const [a, b] = await Promise.all([startHidden(t, { bootstrap }), startHidden(t, { bootstrap })])
  const ids = relays.map(({ mesh }) => mesh.peerId).sort()
  t.same((await untilRelays(a.mesh, 2)).sort(), ids)
  t.equal(a.mesh.reachability().state, 'private')
  t.ok(a.mesh.addresses().every((address) => isRelayed(address) && address.endsWith(a.mesh.peerId)), a.mesh.addresses().join())

  await untilPeers(b.mesh, (peers) => peers.includes(a.mesh.peerId))
  const [peer] = b.mesh.peers().filter(({ peerId }) => peerId === a.mesh.peerId)
  t.ok(isRelayed(peer?.address ?? ''), String(peer?.address))

  const heard = new Promise<string>((resolve) => {
    a.mesh.topics.subscribe(TOPIC, { maxBytes: 100, validate: (_data, from) => { resolve(from); return 'accept' } })
  })
  b.mesh.topics.subscribe(TOPIC, { maxBytes: 100, validate: () => 'accept' })
  await untilGrafted(b.mesh, TOPIC, 1)
  await b.mesh.topics.publish(TOPIC, text('offer'))
  t.equal(await heard, b.mesh.peerId, 'gossip came straight over the relayed connection: the relays do not subscribe')

  a.mesh.requests.serve('/lily/echo/1.0.0', { maxBytes: 100, perPeerPerSecond: 5, concurrency: 5, timeoutMs: 5000 }, async (payload) => payload)
  let dials = 0
  b.mesh.libp2p.addEventListener('connection:open', () => { dials++ })
  for (let n = 0; n < 5; n++) t.same(await b.mesh.requests.request(a.mesh.peerId, '/lily/echo/1.0.0', text('hello'), { signal: soon(), maxBytes: 100 }), text('hello'))
  t.equal(dials, 0, 'over the connection that is there')
})

t.test('a pre-shared key holds for relayed connections too', async (t) => {
  const psk = '0f'.repeat(32)
  const relay = await startNode(t, { relay: true, psk })
  const bootstrap = relay.mesh.addresses()
  const [a, b] = await Promise.all([startHidden(t, { bootstrap, psk }), startHidden(t, { bootstrap, psk })])
  await untilPeers(b.mesh, (peers) => peers.includes(a.mesh.peerId))
  t.ok(isRelayed(b.mesh.peers().find(({ peerId }) => peerId === a.mesh.peerId)?.address ?? ''))
})

t.test('a node that loses a relay takes another that it finds in the directory', async (t) => {
  const first = await startNode(t, { relay: true })
  const [second, third] = await Promise.all([startNode(t, { relay: true, bootstrap: first.mesh.addresses() }), startNode(t, { relay: true, bootstrap: first.mesh.addresses() })])
  await untilPeers(second.mesh, (peers) => peers.includes(third.mesh.peerId))
  const hidden = await startHidden(t, { bootstrap: [...first.mesh.addresses(), ...second.mesh.addresses()], targetPeers: 2 })
  const dead = first.mesh.peerId
  await untilRelays(hidden.mesh, 2)
  await first.stop()
  const relays = await untilRelays(hidden.mesh, 2, [dead])
  t.same(relays.sort(), [second.mesh.peerId, third.mesh.peerId].sort())
  t.ok(hidden.mesh.addresses().every((address) => !address.includes(dead)), 'the address at the dead relay is not announced any more')
})

t.test('a relayed connection gives way to a direct one where one side can be dialled', async (t) => {
  const relay = await startNode(t, { relay: true })
  const bootstrap = relay.mesh.addresses()
  const hidden = await startHidden(t, { bootstrap, targetPeers: 1 })
  await untilRelays(hidden.mesh, 1)
  // A name, since dcutr takes no loopback address for one worth trying.
  const address = await freeAddress()
  const open = await startNode(t, { listen: [address], announce: [address.replace('/ip4/127.0.0.1', '/dns4/localhost')], targetPeers: 1 })
  await open.mesh.connect(hidden.mesh.addresses()[0] ?? '', { signal: soon() })
  t.ok(open.mesh.libp2p.getConnections().some(({ limits }) => limits !== undefined), 'at first through the relay')
  const direct = (): boolean => {
    const connections = open.mesh.libp2p.getConnections().filter(({ remotePeer }) => remotePeer.toString() === hidden.mesh.peerId)
    return connections.length > 0 && connections.every(({ limits }) => limits === undefined)
  }
  while (!direct()) await new Promise<void>((resolve) => { open.mesh.libp2p.addEventListener('connection:close', () => { resolve() }, { once: true }) })
  t.match(open.mesh.peers().find(({ peerId }) => peerId === hidden.mesh.peerId), { direction: 'inbound' })
})

t.test('content travels through a relay', async (t) => {
  const relay = await startNode(t, { relay: true })
  const bootstrap = relay.mesh.addresses()
  const [a, b] = await Promise.all([startHidden(t, { bootstrap }), startHidden(t, { bootstrap })])
  await untilPeers(b.mesh, (peers) => peers.includes(a.mesh.peerId))
  const [from, to] = await Promise.all([openBlocks(t, a), openBlocks(t, b)])
  const content = new Uint8Array(3 * 2 ** 20).fill(7)
  const cid = await from.addTree(new Map([['out', content]]), { pin: true, signal: soon() })
  const tree = await to.getTree(cid, { maxBytes: 2 ** 24, maxFiles: 1, signal: soon(20_000), from: [a.mesh.peerId] })
  t.equal(Buffer.compare(tree.get('out') ?? new Uint8Array(), content), 0)
})

t.test('a node takes no connection through a relay at which it holds no place, whatever that relay thinks', async (t) => {
  const relay = await startNode(t, { relay: true })
  const options = { bootstrap: relay.mesh.addresses(), targetPeers: 1 }
  const [a, b] = await Promise.all([startNode(t, options), startNode(t, options)])
  await untilPeers(relay.mesh, (peers) => peers.includes(a.mesh.peerId) && peers.includes(b.mesh.peerId))
  const { reservations } = (relay.mesh.libp2p.services as unknown as { relay: CircuitRelayService }).relay
  const address = `${relay.mesh.addresses()[0] ?? ''}/p2p-circuit/p2p/${a.mesh.peerId}`
  await t.rejects(b.mesh.connect(address, { signal: soon() }), { code: 'MESH_UNREACHABLE' }, 'the relay has no place for it')
  const signal = Object.assign(new AbortController().signal, { clear: () => undefined, reset: () => undefined })
  reservations.set(peerIdFromString(a.mesh.peerId), { addr: multiaddr('/ip4/127.0.0.1/tcp/1'), expiry: new Date(), signal })
  await t.rejects(b.mesh.connect(address, { signal: soon() }), { code: 'MESH_UNREACHABLE' }, 'the relay would, the node does not want it')
  t.same(a.mesh.reachability(), { state: 'unknown', relays: [] })
  t.same(a.mesh.peers().map(({ peerId }) => peerId), [relay.mesh.peerId])
})

async function openBlocks (t: Test, { mesh, datastore, folder }: TestNode): Promise<Blocks> {
  const blocks = createBlocks({ mesh, datastore, logger }, { path: join(folder, 'blocks') })
  await blocks.start()
  t.teardown(async () => { await blocks.stop() })
  return blocks
}
