import t from 'tap'
import { until } from '../support/lilynode.ts'
import { buildInternet, whyNoNamespaces } from './namespaces.ts'
import { startPeer, type Line, type Peer } from './peer.ts'

const PORT = 4001

/** Asks a node how it stands until the answer is as wanted. */
async function untilSeen (peer: Peer, wanted: (line: Line) => boolean): Promise<Line> {
  return await until(async () => {
    peer.tell({ look: true })
    const line = await peer.until((each) => each.reachability !== undefined)
    return wanted(line) && line
  })
}

t.test('on the internet nodes find out whether they can be dialled; those that cannot meet through a relay', { skip: whyNoNamespaces() }, async (t) => {
  const internet = buildInternet(t)
  const open = internet.host(11, {})
  const [first, second] = [internet.host(12, { closedPort: PORT }), internet.host(13, { closedPort: PORT })]
  const common = { isPublic: true, listen: [`/ip4/0.0.0.0/tcp/${PORT}`] }
  const relay = await startPeer(t, { ...common, namespace: internet.router, relay: true, announce: [`/ip4/11.0.0.1/tcp/${PORT}`] })
  t.same(relay.addresses, [`/ip4/11.0.0.1/tcp/${PORT}/p2p/${relay.id}`])
  const bootstrap = relay.addresses

  const reachable = await startPeer(t, { ...common, namespace: open, bootstrap })
  const found = await untilSeen(reachable, ({ reachability }) => reachability?.state !== 'unknown')
  t.same(found.reachability, { state: 'public', relays: [] }, 'the relay dialled it back')
  t.same(found.addresses, [`/ip4/11.0.0.2/tcp/${PORT}/p2p/${reachable.id}`], 'what nobody verified and what is not of the internet is not told')

  const hasty = { reachabilityGraceMs: 2_000 }
  const [a, b] = await Promise.all([startPeer(t, { ...common, ...hasty, namespace: first, bootstrap, files: { out: 'x'.repeat(100_000) } }), startPeer(t, { ...common, ...hasty, namespace: second, bootstrap })])
  const hidden = await untilSeen(a, ({ reachability }) => reachability?.relays.length === 1)
  t.same(hidden.reachability, { state: 'private', relays: [relay.id] })
  t.same(hidden.addresses, [`/ip4/11.0.0.1/tcp/${PORT}/p2p/${relay.id}/p2p-circuit/p2p/${a.id}`])
  await untilSeen(b, ({ reachability }) => reachability?.relays.length === 1)
  await b.until((line) => line.peers?.includes(a.id) === true)
  const through = (line: Line): string[] => line['through'] as string[]
  await untilSeen(b, (line) => through(line).some((address) => address.endsWith(`/p2p-circuit/p2p/${a.id}`)))
  await untilSeen(b, (line) => through(line).includes(`/ip4/11.0.0.2/tcp/${PORT}/p2p/${reachable.id}`))
  b.tell({ tree: a.cid, from: [a.id] })
  t.same((await b.until((line) => line.tree !== undefined)).tree, { out: 'x'.repeat(100_000) })
})
