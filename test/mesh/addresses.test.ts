import { multiaddr } from '@multiformats/multiaddr'
import { peerIdFromString } from '@libp2p/peer-id'
import t from 'tap'
import { createAddressPolicy } from '../../src/mesh/address-policy.ts'
import { isPublicMultiaddr, isRelayed } from '../../src/mesh/addresses.ts'
import type { Mesh } from '../../src/mesh/mesh.ts'
import { freeAddress, soon, startNode } from './nodes.ts'

const PEER = '12D3KooWAhpdgTkSCK1HEnckiVGNGuQKzGA3rrsvKaLuncRvpLZY'
const OUTSIDE = [
  '/ip4/8.8.8.8/tcp/4001', '/ip6/2600::1/tcp/4001/ws', '/dns4/node.example/tcp/443/wss', `/p2p/${PEER}/p2p-circuit`, `/ip4/8.8.8.8/tcp/1/p2p/${PEER}/p2p-circuit`
]
const INSIDE = [
  '/ip4/127.0.0.1/tcp/4001', '/ip4/10.1.2.3/tcp/1', '/ip4/172.31.0.1/tcp/1/ws', '/ip4/192.168.1.1/tcp/80', '/ip4/169.254.169.254/tcp/80', '/ip4/100.64.0.1/tcp/1', '/ip4/0.0.0.0/tcp/1', '/ip4/224.0.0.1/tcp/1',
  '/ip6/::1/tcp/1', '/ip6/fd00::1/tcp/1', '/ip6/fe80::1/tcp/1', '/ip6/::ffff:192.168.1.1/tcp/1', '/ip6zone/eth0/ip6/fe80::1/tcp/1', '/ip6/::/tcp/1',
  '/dns4/localhost/tcp/1', '/dns/printer.local/tcp/631', '/dns4/router.home.arpa/tcp/80', '/dns4/192.168.1.1/tcp/80', '/dns4/127.1/tcp/80', '/unix/%2Fvar%2Frun%2Fdocker.sock',
  `/ip4/192.168.1.1/tcp/1/p2p/${PEER}/p2p-circuit`
]

t.test('addresses of the internet are told from those of a private network', async (t) => {
  for (const address of OUTSIDE) t.ok(isPublicMultiaddr(multiaddr(address)), address)
  for (const address of INSIDE) t.notOk(isPublicMultiaddr(multiaddr(address)), address)
  t.same(OUTSIDE.map((address) => isRelayed(multiaddr(address))), [false, false, false, true, true])
})

t.test('a public network keeps private addresses to itself, but those that the owner named', async (t) => {
  const bootstrap = `/ip4/10.0.0.9/tcp/4001/p2p/${PEER}`
  const policy = createAddressPolicy({ isPublic: true, announce: ['/ip4/192.168.1.5/tcp/4001'], bootstrap: [bootstrap] })
  const all = [...OUTSIDE, ...INSIDE].map((address) => multiaddr(address))
  t.same(policy.announced(all).map(String), OUTSIDE)
  t.same(policy.announced([multiaddr(`/ip4/192.168.1.5/tcp/4001/p2p/${PEER}`)]).length, 1)
  t.same(policy.known({ id: peerIdFromString(PEER), multiaddrs: all }).multiaddrs.map(String), OUTSIDE)
  const isDenied = async (address: string): Promise<boolean> => await policy.gater.denyDialMultiaddr?.(multiaddr(address)) ?? false
  for (const address of INSIDE) t.equal(await isDenied(address), true, address)
  t.equal(await isDenied('/ip4/8.8.8.8/tcp/4001'), false)
  t.equal(await isDenied(bootstrap), false)
  t.equal(await isDenied('/ip4/10.0.0.9/tcp/22'), true, 'another port of the same host')
  policy.allow(`/ip4/192.168.7.7/tcp/1/p2p/${PEER}`)
  t.equal(await isDenied('/ip4/192.168.7.7/tcp/1'), false, 'named by the owner meanwhile')
})

t.test('a private network announces and dials whatever there is', async (t) => {
  const policy = createAddressPolicy({ isPublic: false, announce: [], bootstrap: [] })
  const all = [...OUTSIDE, ...INSIDE].map((address) => multiaddr(address))
  t.equal(policy.announced(all).length, all.length)
  t.equal(await policy.gater.denyDialMultiaddr?.(multiaddr('/ip4/192.168.1.1/tcp/80')), false)
})

t.test('a node of a public network tells nobody its private address, and neither remembers nor dials the one that a stranger tells', async (t) => {
  const door = await freeAddress()
  const [home, stranger] = await Promise.all([startNode(t, { isPublic: true, reachability: 'public', listen: [door] }), startNode(t, { targetPeers: 1 })])
  t.same(home.mesh.addresses(), [])
  await stranger.mesh.connect(`${door}/p2p/${home.mesh.peerId}`, { signal: soon() })
  t.same(await told(stranger.mesh, home.mesh), [door], 'where it was dialled, and nothing that identify brought')
  t.same(await told(home.mesh, stranger.mesh), [])

  const victim = await startNode(t)
  const [address = ''] = victim.mesh.addresses()
  const id = peerIdFromString(victim.mesh.peerId)
  await home.mesh.libp2p.peerStore.merge(id, { multiaddrs: [multiaddr(address)] })
  await t.rejects(home.mesh.libp2p.dial(id, { signal: soon() }))
  await t.rejects(home.mesh.libp2p.dial(multiaddr(address), { signal: soon() }), 'nor when it is asked to dial the address itself')
  t.same(victim.mesh.peers(), [])
})

/** The addresses of `peer` that `mesh` knows once identify is through, which stores them before the agent's version. */
async function told (mesh: Mesh, peer: Mesh): Promise<string[]> {
  const id = peerIdFromString(peer.peerId)
  for (;;) {
    const known = await mesh.libp2p.peerStore.get(id).catch(() => undefined)
    if (known?.metadata.has('AgentVersion') === true) return known.addresses.map((address) => address.multiaddr.toString())
    await new Promise<void>((resolve) => { mesh.libp2p.addEventListener('peer:identify', () => { resolve() }, { once: true }) })
  }
}
