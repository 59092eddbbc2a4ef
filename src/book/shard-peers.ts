import type { Clock } from '../core/clock.ts'
import { errorMessage } from '../core/errors.ts'
import type { Startable } from '../core/lifecycle.ts'
import type { Logger } from '../core/logger.ts'
import type { Mesh } from '../mesh/mesh.ts'
import { COMMON_SHARD } from '../wire/shard.ts'
import { recordsTopic } from '../wire/topics.ts'
import { SHARD_PEERS } from './options.ts'

/** Nodes that follow a shard of a named market are found under this role. Nearly every node follows the others. */
export function shardRoles (shards: readonly number[]): string[] {
  return namedShards(shards).map(roleOf)
}

/** protocol/mesh.md, "Shards": of eight peers met by chance none may follow what this node does, so it looks for some that do. */
export function createShardPeers (components: { mesh: Pick<Mesh, 'roles' | 'topics'>, clock: Clock, logger: Logger }, options: { chainId: number, shards: readonly number[] }): Startable {
  const { mesh, clock, logger } = components
  const stopping = new AbortController()
  const shards = namedShards(options.shards)
  let cancel = (): void => undefined
  let looking: Promise<void> = Promise.resolve()

  const look = async (): Promise<void> => {
    for (const shard of shards) {
      const missing = SHARD_PEERS.wanted - mesh.topics.readers(recordsTopic(options.chainId, shard)).length
      if (missing > 0 && !stopping.signal.aborted) await mesh.roles.meet(roleOf(shard), { count: missing, signal: stopping.signal })
    }
  }
  const schedule = (delayMs: number): void => {
    cancel = clock.after(delayMs, () => {
      looking = look()
        .catch((error: unknown) => { logger.debug('book.shard-peers', { error: errorMessage(error) }) })
        .finally(() => { if (!stopping.signal.aborted) schedule(SHARD_PEERS.lookMs) })
    })
  }
  return {
    start: async () => { if (shards.length > 0) schedule(SHARD_PEERS.firstLookMs) },
    stop: async () => {
      stopping.abort(new Error('the node is stopping'))
      cancel()
      await looking
    }
  }
}

function namedShards (shards: readonly number[]): number[] {
  return shards.filter((shard) => shard > 1 && shard < COMMON_SHARD)
}

function roleOf (shard: number): string {
  return `shard-${shard}`
}
