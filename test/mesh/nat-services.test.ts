import { multiaddr } from '@multiformats/multiaddr'
import t from 'tap'
import { natServices, ownAddressesOnly } from '../../src/mesh/nat-services.ts'

t.test('a node serves and asks nothing that it was not told to; UPnP multicasts, so that it is there on demand only', async (t) => {
  const names = async (options: Parameters<typeof natServices>[0]): Promise<string[]> => Object.keys(await natServices(options)).sort()
  t.same(await names({}), ['dcutr'])
  t.same(await names({ relay: true }), ['dcutr', 'relay'])
  t.same(await names({ isPublic: true }), ['autonat', 'dcutr'])
  t.same(await names({ upnp: true }), ['autonat', 'dcutr', 'upnp'])
})

t.test('autonat sees no relayed addresses, and finds no peers to dial at random', async (t) => {
  const all = ['/ip4/8.8.8.8/tcp/4001', '/ip4/8.8.8.8/tcp/4001/p2p/12D3KooWAhpdgTkSCK1HEnckiVGNGuQKzGA3rrsvKaLuncRvpLZY/p2p-circuit'].map((address) => ({ multiaddr: multiaddr(address) }))
  const confirmed: string[] = []
  const addressManager = { getAddressesWithMetadata: () => all, confirmObservedAddr: (address: unknown) => { confirmed.push(String(address)) } }
  const seen = ownAddressesOnly({ addressManager, randomWalk: { walk: () => { throw new Error('walked') } }, peerStore: 'same' } as unknown as Parameters<typeof ownAddressesOnly>[0])
  t.same(seen.addressManager.getAddressesWithMetadata().map((each) => each.multiaddr.toString()), ['/ip4/8.8.8.8/tcp/4001'])
  t.equal(seen.peerStore as unknown, 'same')
  seen.addressManager.confirmObservedAddr(multiaddr('/ip4/8.8.8.8/tcp/4001'))
  t.same(confirmed, ['/ip4/8.8.8.8/tcp/4001'])
  for await (const peer of seen.randomWalk.walk()) t.fail(String(peer.id))
})
