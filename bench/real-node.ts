import { join } from 'node:path'
import { BOOK_DEFAULTS } from '../src/book/options.ts'
import { createBookReplica, type BookReplica } from '../src/book/replica.ts'
import { createSystemClock, type Clock } from '../src/core/clock.ts'
import { silentLogger } from '../src/core/logger.ts'
import { createSystemRandom } from '../src/core/random.ts'
import { createMesh, type Mesh } from '../src/mesh/mesh.ts'
import { createDatastore } from '../src/store/datastore.ts'
import { recordsTopic } from '../src/wire/topics.ts'
import { DOMAIN } from '../test/support/records.ts'

/** What of a node carries the book: datastore on disk, mesh on loopback, replica. */
export interface RealNode { readonly mesh: Mesh, readonly replica: BookReplica, readonly clock: Clock, stop: () => Promise<void> }

/** Twenty nodes that start on two cores keep each other waiting. */
export const CONNECT_TIMEOUT_MS = 180_000

/** Where the records of the default market's first shard go, which most figures are about. */
export const TOPIC = recordsTopic(DOMAIN.chainId, 0)

export async function startRealNode (folder: string): Promise<RealNode> {
  const clock = createSystemClock()
  const datastore = createDatastore({ logger: silentLogger }, { path: join(folder, 'datastore') })
  const random = createSystemRandom()
  const mesh = createMesh({ datastore, logger: silentLogger, clock, random }, { network: String(DOMAIN.chainId), topics: BOOK_DEFAULTS.shards.map((shard) => recordsTopic(DOMAIN.chainId, shard)) })
  const replica = createBookReplica({ mesh, datastore, clock, logger: silentLogger, domain: DOMAIN, random }, { secret: new Uint8Array(32) })
  await datastore.start()
  await replica.start()
  await mesh.start()
  return {
    mesh,
    replica,
    clock,
    stop: async () => {
      await replica.stop()
      await mesh.stop()
      await datastore.stop()
    }
  }
}

/** Joins peers at their multiaddrs. libp2p gives a dial up after ten seconds, which a machine full of starting nodes takes: then again. */
export async function connectTo (mesh: Mesh, addresses: readonly string[]): Promise<void> {
  const signal = AbortSignal.timeout(CONNECT_TIMEOUT_MS)
  for (const address of addresses) {
    while (!mesh.peers().some(({ peerId }) => address.endsWith(peerId))) {
      await mesh.connect(address, { signal }).catch((error: unknown) => { if (signal.aborted) throw error })
    }
  }
}

/** Peers of our gossip mesh: gossipsub's type leaves the question out. */
export function meshPeers (gossip: unknown, topic: string): number {
  return (gossip as { getMeshPeers: (topic: string) => string[] }).getMeshPeers(topic).length
}
