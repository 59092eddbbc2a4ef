import type { AutoNATv2Components } from '@libp2p/autonat-v2'
import { isRelayed } from './addresses.ts'
import type { MeshOptions } from './options.ts'
import { relayService } from './relay-server.ts'

/**
 * What helps nodes behind a NAT, each loaded only where it is wanted: a direct connection in place of a relayed one
 * (dcutr, always), places at this node for others (relay), peers' word on whether we can be dialled (autonat, public
 * networks), a port at the local router (UPnP, only when asked for: it multicasts).
 */
export async function natServices (options: Pick<MeshOptions, 'relay' | 'isPublic' | 'upnp'>) {
  const asks = options.isPublic === true || options.upnp === true
  const [{ dcutr }, relay, autonat, upnp] = await Promise.all([
    import('@libp2p/dcutr'),
    options.relay === true ? relayService() : undefined,
    asks ? import('@libp2p/autonat-v2') : undefined,
    options.upnp === true ? import('@libp2p/upnp-nat') : undefined
  ])
  return {
    dcutr: dcutr(),
    ...(relay === undefined ? {} : { relay }),
    ...(autonat === undefined ? {} : { autonat: (components: AutoNATv2Components) => autonat.autoNATv2({ protocolPrefix: 'lily' })(ownAddressesOnly(components)) }),
    ...(upnp === undefined ? {} : { upnp: upnp.uPnPNAT({ portMappingDescription: 'lilynode' }) })
  }
}

/**
 * Autonat's view of the node: without relayed addresses, which a dial back over a relay makes it take for dead, and
 * without its random walk, ten seconds of every minute; it asks each peer that connects.
 */
export function ownAddressesOnly (components: AutoNATv2Components): AutoNATv2Components {
  const { addressManager } = components
  const own = new Proxy(addressManager, { get: (target, name) => {
    if (name === 'getAddressesWithMetadata') return () => target.getAddressesWithMetadata().filter(({ multiaddr }) => !isRelayed(multiaddr))
    const value: unknown = Reflect.get(target, name)
    return typeof value === 'function' ? value.bind(target) : value
  } })
  const still = { walk: async function * () { /* ends at once */ } }
  return new Proxy(components, { get: (target, name) => name === 'addressManager' ? own : name === 'randomWalk' ? still : Reflect.get(target, name) })
}
