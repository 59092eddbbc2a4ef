import type { Connection, Libp2p } from '@libp2p/interface'

/** libp2p's connection manager, which is not in its public type; everything that dials goes through it. */
interface Internals { components: { connectionManager: Pick<Libp2p, 'getConnections'> & { openConnection: Libp2p['dial'] } } }

/**
 * Has libp2p use the relayed connection that it has to a peer. Unchanged it dials anew for every stream, direct addresses
 * that may be dead first, and drops what it gets as a duplicate: seconds per request, and soon refused by the relay.
 * Protocols that do not run over relays fail at once. A direct connection is dcutr's business, which forces its dials.
 */
export function reuseRelayed (libp2p: Libp2p): void {
  const { connectionManager } = (libp2p as unknown as Internals).components
  const openConnection = connectionManager.openConnection.bind(connectionManager)
  /** The only connection to a peer, if it is a relayed one. */
  const held = (target: Parameters<Libp2p['dial']>[0]): Connection | undefined => {
    if (Array.isArray(target) || !('toMultihash' in target)) return undefined
    const open = connectionManager.getConnections(target).filter(({ status }) => status === 'open')
    return open.some(({ limits }) => limits === undefined) ? undefined : open[0]
  }
  connectionManager.openConnection = async (target, options) => (options?.force === true ? undefined : held(target)) ?? await openConnection(target, options)
}
