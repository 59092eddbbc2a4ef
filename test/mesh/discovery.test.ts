import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import t from 'tap'
import { createSystemClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { createDiscovery } from '../../src/mesh/discovery.ts'
import type { Mesh } from '../../src/mesh/mesh.ts'
import { DHT_PROTOCOL } from '../../src/mesh/options.ts'
import { createMemoryDatastore } from '../support/memory-datastore.ts'
import { freeAddress, soon, startNode, untilPeers } from './nodes.ts'

/** Asks until somebody is found: a record travels to the DHT in the background. */
async function findRole (mesh: Mesh, role: string, count: number): Promise<string[]> {
  const signal = soon(15_000)
  for (;;) {
    const found = await mesh.roles.find(role, { signal })
    if (found.length >= count) return found.sort()
    signal.throwIfAborted()
  }
}

t.test('nodes that know one bootstrap node find each other, and stay connected when it dies', async (t) => {
  const bootstrap = await startNode(t)
  const [a, b] = await Promise.all([startNode(t, { bootstrap: bootstrap.mesh.addresses() }), startNode(t, { bootstrap: bootstrap.mesh.addresses() })])
  await Promise.all([untilPeers(a.mesh, (peers) => peers.includes(b.mesh.peerId)), untilPeers(b.mesh, (peers) => peers.includes(a.mesh.peerId))])
  const dead = bootstrap.mesh.peerId
  await bootstrap.stop()
  await Promise.all([untilPeers(a.mesh, (peers) => !peers.includes(dead)), untilPeers(b.mesh, (peers) => !peers.includes(dead))])
  t.same(a.mesh.peers().map((peer) => peer.peerId), [b.mesh.peerId])
  b.mesh.roles.announce(['mediator'])
  t.same(await findRole(a.mesh, 'mediator', 1), [b.mesh.peerId])
})

t.test('roles are found by others, follow what is announced, and are kept apart by network', async (t) => {
  const bootstrap = await startNode(t)
  const options = { bootstrap: bootstrap.mesh.addresses() }
  const [a, b, stranger] = await Promise.all([startNode(t, options), startNode(t, options), startNode(t, { ...options, network: '1' })])
  a.mesh.roles.announce(['solver', 'provider'])
  bootstrap.mesh.roles.announce(['solver'])
  t.same(await findRole(b.mesh, 'solver', 2), [a.mesh.peerId, bootstrap.mesh.peerId].sort())
  t.same(await findRole(b.mesh, 'provider', 1), [a.mesh.peerId])
  t.same(await findRole(a.mesh, 'solver', 1), [bootstrap.mesh.peerId], 'a node does not find itself')
  t.same(await stranger.mesh.roles.find('solver', { signal: soon() }), [])
  t.same(await b.mesh.roles.find('mediator', { signal: AbortSignal.abort() }), [])
})

t.test('a node that starts before its bootstrap node joins when that appears', async (t) => {
  const address = await freeAddress()
  const early = await startNode(t, { bootstrap: [address] })
  t.same(early.mesh.peers(), [])
  const late = await startNode(t, { listen: [address] })
  await untilPeers(early.mesh, (peers) => peers.includes(late.mesh.peerId))
  t.equal(early.mesh.peers().length, 1)
})

t.test('a restarted node returns to peers it knew, without a bootstrap node', async (t) => {
  const [friend, node] = await Promise.all([startNode(t, { listen: [await freeAddress()] }), startNode(t)])
  await node.mesh.connect(friend.mesh.addresses()[0] ?? '', { signal: soon() })
  await untilPeers(friend.mesh, (peers) => peers.length === 1)
  await node.stop()
  await untilPeers(friend.mesh, (peers) => peers.length === 0)
  const again = await startNode(t, { folder: node.folder })
  await untilPeers(again.mesh, (peers) => peers.includes(friend.mesh.peerId))
  t.equal(again.mesh.peers()[0]?.peerId, friend.mesh.peerId)
})

t.test('peers whose first identify failed, or the first ping of the directory, are identified again', async (t) => {
  const peers = {
    taken: { protocols: [DHT_PROTOCOL], tags: new Map([['kad-peer', {}]]) }, pingFailed: { protocols: [DHT_PROTOCOL], tags: new Map() }, identifyFailed: { protocols: [], tags: new Map() },
    client: { protocols: ['/other'], tags: new Map() }, fresh: { protocols: [], tags: new Map() }
  }
  const now = createSystemClock().now()
  const asked: string[] = []
  const looked = Promise.withResolvers<undefined>()
  const libp2p = {
    addEventListener: () => undefined, removeEventListener: () => undefined, getMultiaddrs: () => [], getPeers: () => Object.keys(peers),
    getConnections: () => Object.keys(peers).map((name) => ({ remotePeer: name, remoteAddr: name, timeline: { open: name === 'fresh' ? now : now - 60_000 } })),
    peerStore: { all: async () => [], get: async (name: keyof typeof peers) => peers[name] },
    services: { identify: { identify: async ({ remotePeer }: { remotePeer: string }) => { asked.push(remotePeer) } } },
    contentRouting: { findProviders: async function * () { looked.resolve(undefined) }, cancelReprovide: async () => undefined }
  }
  const discovery = createDiscovery({ clock: createSystemClock(), logger: silentLogger, datastore: createMemoryDatastore(), isGraylisted: () => false }, { network: '1', bootstrap: [], targetPeers: 8, standing: [], hasKey: false })
  await discovery.start(libp2p as never)
  await looked.promise
  await discovery.stop()
  t.same(asked.sort(), ['identifyFailed', 'pingFailed'])
})

t.test('nodes of a role are met beyond the number of peers that are wanted, as many as asked for', async (t) => {
  const found = ['12D3KooWAhpdgTkSCK1HEnckiVGNGuQKzGA3rrsvKaLuncRvpLZY', '12D3KooWGzh2hTJQzVyZQYkVr5WqPs2cM8Jr1T5Lq1hT1yJkJQ3V'].map((id) => peerIdFromString(id))
  const dialled: string[] = []
  // In a mesh as small as a test's the DHT's own lookups connect everybody.
  const libp2p = {
    peerId: found[0], addEventListener: () => undefined, removeEventListener: () => undefined, getMultiaddrs: () => [], getPeers: () => [], getConnections: () => [],
    peerStore: { all: async () => [], has: async () => true },
    contentRouting: { findProviders: async function * () { for (const id of [...found, ...found]) yield { id, multiaddrs: [] } }, cancelReprovide: async () => undefined },
    dial: async (id: PeerId) => { dialled.push(id.toString()) }
  }
  const discovery = createDiscovery({ clock: createSystemClock(), logger: silentLogger, datastore: createMemoryDatastore(), isGraylisted: () => false }, { network: '1', bootstrap: [], targetPeers: 0, standing: [], hasKey: false })
  await discovery.start(libp2p as never)
  t.teardown(discovery.stop)
  await discovery.meet('shard-5', { count: 0, signal: soon() })
  t.same(dialled, [])
  await discovery.meet('shard-5', { count: 2, signal: soon() })
  t.same(dialled, [String(found[1])], 'each once, and not itself')
})
