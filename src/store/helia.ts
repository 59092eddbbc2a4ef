import type { Helia, Provider } from 'helia'
import type { UnixFS } from '@helia/unixfs'
import type { Libp2p } from '@libp2p/interface'
import type { Logger } from '../core/logger.ts'
import type { InterfaceDatastore } from './datastore.ts'
import { RESEND_AFTER_MS, WANT_DEBOUNCE_MS } from './options.ts'
import { openBlockstore } from './verified-blockstore.ts'

/** Helia on the node's own libp2p and datastore: bitswap is its only source of blocks, our DHT its only directory. */
export interface HeliaNode { helia: Helia, fs: UnixFS }

/**
 * Loads and starts Helia. Never `createHelia`, whose defaults call public services. It does not own libp2p: stopping it
 * leaves the node connected.
 */
export async function startHelia (components: { libp2p: Libp2p, datastore: InterfaceDatastore, logger: Logger }, options: { path: string }): Promise<HeliaNode> {
  const { libp2p } = components
  const [{ createHeliaLight }, { withBitswap }, { unixfs }, { peerIdFromCID }, blockstore] = await Promise.all([
    import('./helia-light.ts'), import('@helia/bitswap'), import('@helia/unixfs'), import('@libp2p/peer-id'), openBlockstore(components, options)
  ])
  const helia = createHeliaLight({
    blockstore,
    datastore: components.datastore,
    routers: [{
      name: 'libp2p-router',
      provide: async (cid, given) => { await libp2p.contentRouting.provide(cid, given) },
      cancelReprovide: async (cid, given) => { await libp2p.contentRouting.cancelReprovide(cid, given) },
      findProviders: async function * (cid, given): AsyncGenerator<Provider> {
        for await (const peer of libp2p.contentRouting.findProviders(cid, given)) {
          yield { id: peer.id.toCID(), multiaddrs: peer.multiaddrs, router: 'libp2p-router', fallback: false }
        }
      },
      findPeer: async (id, given) => {
        const peer = await libp2p.peerRouting.findPeer(peerIdFromCID(id), given)
        return { id: peer.id.toCID(), multiaddrs: peer.multiaddrs, router: 'libp2p-router' }
      }
    }]
  })
  withBitswap(Object.assign(helia, { libp2p }), { sendWantlistDebounce: WANT_DEBOUNCE_MS, doNotResendBlockWindow: RESEND_AFTER_MS, runOnLimitedConnections: true })
  await helia.start()
  return { helia, fs: unixfs(helia) }
}
