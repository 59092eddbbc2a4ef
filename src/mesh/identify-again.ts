import type { Identify } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import type { Clock } from '../core/clock.ts'
import { errorMessage } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import { DHT_PROTOCOL, IDENTIFY_MS } from './options.ts'

export type IdentifyingNode = Libp2p<{ identify: Identify }>

/** How kad-dht marks the peers in its table. */
const DHT_TAG = 'kad-peer'

/**
 * Identifies again the connected peers that the DHT should have in its table and has not. It takes a peer up when it is identified; one for
 * which that failed, or the first ping, is not tried again for minutes, in which a node with no other peer finds nobody. Never rejects.
 */
export async function identifyAgain ({ clock, logger }: { clock: Clock, logger: Logger }, node: IdentifyingNode, signal: AbortSignal): Promise<void> {
  const settled = node.getConnections().filter(({ timeline }) => timeline.open < clock.now() - IDENTIFY_MS)
  await Promise.all(settled.map(async (connection) => {
    try {
      const { protocols, tags } = await node.peerStore.get(connection.remotePeer)
      const isKnown = protocols.length > 0 && (!protocols.includes(DHT_PROTOCOL) || tags.has(DHT_TAG))
      if (!isKnown) await node.services.identify.identify(connection, { signal })
    } catch (error) {
      logger.debug('not identified', { peer: connection.remotePeer.toString(), error: errorMessage(error) })
    }
  }))
}
