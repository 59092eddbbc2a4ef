import { lookup } from 'node:dns/promises'
import type { ConnectionGater, PeerInfo } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { hostOf, isPublicAddress, isPublicMultiaddr } from './addresses.ts'

/** Which addresses a node tells, remembers and dials (protocol/mesh.md). On a private network: all. */
export interface AddressPolicy {
  /** Our own addresses that others may learn. */
  announced: (addresses: Multiaddr[]) => Multiaddr[]
  /** A peer as the directory may know it. */
  known: (peer: PeerInfo) => PeerInfo
  /** The owner named this address, so it is dialled wherever it lies. */
  allow: (address: string) => void
  readonly gater: Pick<ConnectionGater, 'denyDialMultiaddr' | 'filterMultiaddrForPeer'>
}

/**
 * On a public network strangers must not learn where we stand in our own, nor make us knock on its doors: what is not on
 * the internet is neither announced nor dialled. What the owner named (bootstrap, announce, connect) is exempt.
 */
export function createAddressPolicy (options: { isPublic: boolean, announce: readonly string[], bootstrap: readonly string[] }): AddressPolicy {
  const socket = (address: string): string => address.split('/p2p/')[0] ?? address
  const named = new Set(options.bootstrap.map(socket))
  const own = new Set(options.announce.map(socket))
  const isKept = (address: Multiaddr, exempt: ReadonlySet<string>): boolean => !options.isPublic || isPublicMultiaddr(address) || exempt.has(socket(address.toString()))
  return {
    announced: (addresses) => addresses.filter((address) => isKept(address, own)),
    known: (peer) => ({ ...peer, multiaddrs: peer.multiaddrs.filter((address) => isKept(address, named)) }),
    allow: (address) => { named.add(socket(address)) },
    gater: {
      filterMultiaddrForPeer: (_peer, address) => isKept(address, named) || isKept(address, own),
      denyDialMultiaddr: async (address) => {
        if (!options.isPublic || named.has(socket(address.toString()))) return false
        return !isPublicMultiaddr(address) || await leadsInside(address)
      }
    }
  }
}

/** True for a name that resolves to an address which is not on the internet. One that does not resolve fails when it is dialled. */
async function leadsInside (address: Multiaddr): Promise<boolean> {
  const { kind, host } = hostOf(address)
  if (kind !== 'name') return false
  const found = await lookup(host, { all: true }).catch(() => [])
  return found.some(({ address: ip }) => !isPublicAddress(ip))
}
