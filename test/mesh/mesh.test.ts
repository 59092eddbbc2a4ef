import { createServer, type AddressInfo } from 'node:net'
import t from 'tap'
import { createSystemClock } from '../../src/core/clock.ts'
import { createSystemRandom } from '../../src/core/random.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { createMesh } from '../../src/mesh/mesh.ts'
import { soon, startNode, startPair, text, untilPeers } from './nodes.ts'

t.test('a node listens on loopback and keeps its peer id across restarts', async (t) => {
  const first = await startNode(t)
  const { peerId } = first.mesh
  t.match(first.mesh.addresses(), [new RegExp(`^/ip4/127\\.0\\.0\\.1/tcp/\\d+/p2p/${peerId}$`)])
  await first.stop()
  const second = await startNode(t, { folder: first.folder })
  t.equal(second.mesh.peerId, peerId)
})

t.test('a damaged identity is named, not replaced', async (t) => {
  const node = await startNode(t)
  await node.mesh.stop()
  await node.datastore.put('mesh/identity', text('garbage'))
  await t.rejects(node.mesh.start(), { code: 'MESH_IDENTITY' })
})

t.test('a port that is taken is named', async (t) => {
  const server = createServer()
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.close() })
  const address = `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}`
  await t.rejects(startNode(t, { listen: [address] }), { code: 'MESH_PORT_IN_USE', data: { address } })
  await t.rejects(startNode(t, { listen: ['/ip4/127.0.0.1/udp/1/quic-v1'] }), { code: 'MESH_LISTEN' })
})

t.test('a node with WebSockets only is reached by one that listens on TCP only', async (t) => {
  const { mesh } = await startNode(t, { listen: ['/ip4/127.0.0.1/tcp/0/ws'] })
  const [address = ''] = mesh.addresses()
  t.match(address, /^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/ws\/p2p\//)
  const other = await startNode(t)
  await other.mesh.connect(address, { signal: soon() })
  await untilPeers(mesh, (peers) => peers.includes(other.mesh.peerId))
  mesh.requests.serve('/lily/echo/1.0.0', { maxBytes: 10, perPeerPerSecond: 1, concurrency: 1, timeoutMs: 5000 }, async (payload) => payload)
  t.same(await other.mesh.requests.request(mesh.peerId, '/lily/echo/1.0.0', text('hello'), { signal: soon(), maxBytes: 10 }), text('hello'))
})

t.test('before start and after stop it says that it is not running, and stop may be repeated', async (t) => {
  const node = await startNode(t)
  await node.mesh.stop()
  await node.mesh.stop()
  t.throws(() => node.mesh.peerId, { code: 'MESH_STOPPED' })
  t.same(node.mesh.peers(), [])
  await t.rejects(node.mesh.requests.request('x', '/lily/x/1.0.0', text(''), { signal: soon(), maxBytes: 1 }), { code: 'MESH_STOPPED' })
  await node.mesh.start()
  t.equal(node.mesh.addresses().length, 1)
})

t.test('both sides see the connection and its end', async (t) => {
  const [a, b] = await startPair(t)
  await untilPeers(a, (peers) => peers.includes(b.peerId))
  t.match(a.peers(), [{ peerId: b.peerId, direction: 'inbound', score: Number, connectedAtMs: Number, address: String }])
  t.match(b.peers(), [{ peerId: a.peerId, direction: 'outbound' }])
  const events: string[] = []
  a.onPeer(({ type, peerId }) => { events.push(`${type} ${peerId}`) })
  const gone = b.peerId
  await b.stop()
  await untilPeers(a, (peers) => peers.length === 0)
  t.same(events, [`disconnect ${gone}`])
})

t.test('connect tells a bad address from one where nobody answers', async (t) => {
  const { mesh } = await startNode(t)
  await t.rejects(mesh.connect('localhost:4001', { signal: soon() }), { code: 'MESH_ADDRESS' })
  await t.rejects(mesh.connect('/ip4/127.0.0.1/tcp/1', { signal: soon() }), { code: 'MESH_UNREACHABLE' })
})

t.test('building a mesh loads and opens nothing', async (t) => {
  const closed = new Proxy({}, { get: () => { throw new Error('touched') } })
  t.ok(createMesh({ datastore: closed as never, logger: silentLogger, clock: createSystemClock(), random: createSystemRandom() }, { network: '1', topics: [] }))
})
