import type { PeerInfo } from '@libp2p/interface'
import type { Clock } from '../core/clock.ts'
import { errorMessage } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { Datastore } from '../store/datastore.ts'
import type { IdentifyingNode } from './identify-again.ts'
import { ROLE_RENEW_MS } from './options.ts'
import { roleToCid } from './roles.ts'

/** This node's records in the DHT, one for each role, and those of others. */
export interface RoleRecords {
  /** Replaces the roles beside the standing ones. */
  set: (roles: readonly string[]) => void
  /** Remembers the roles on disk, and ends what an earlier run published of others. */
  save: (node: IdentifyingNode) => Promise<void>
  /** Puts what is due where the DHT looks for it. */
  provide: (node: IdentifyingNode) => Promise<void>
  /** Whether any was put there since `renew`. */
  readonly arePut: boolean
  /** All records are due again. */
  renew: () => void
  /** Peers of a role, without this one; what was found when the signal fires. */
  lookUp: (node: IdentifyingNode, role: string, signal: AbortSignal) => Promise<Array<PeerInfo['id']>>
}

const ROLES_KEY = 'mesh/roles'

/** @param options.standing - roles that the node has for as long as it runs. @param options.attempt - the time that one record has. */
export function createRoleRecords (components: { clock: Clock, logger: Logger, datastore: Datastore }, options: { network: string, standing: readonly string[], attempt: () => AbortSignal }): RoleRecords {
  const { clock, logger, datastore } = components
  const { network, standing } = options
  const dueMs = new Map<string, number>()
  let roles: readonly string[] = []

  return {
    set: (next) => {
      roles = [...new Set(next)]
      for (const role of dueMs.keys()) if (!standing.includes(role)) dueMs.delete(role)
    },
    save: async (node) => {
      const stored = await datastore.get(ROLES_KEY)
      const before: unknown = stored === undefined ? [] : JSON.parse(new TextDecoder().decode(stored))
      // A role given up must not be renewed by libp2p, which keeps its own list on disk.
      for (const role of Array.isArray(before) ? before.map(String) : []) {
        if (!roles.includes(role)) await node.contentRouting.cancelReprovide(await roleToCid(network, role))
      }
      await datastore.put(ROLES_KEY, new TextEncoder().encode(JSON.stringify(roles)))
    },
    provide: async (node) => {
      // The directory drops a record without an address: a node without one waits for its relay.
      if (node.getPeers().length === 0 || node.getMultiaddrs().length === 0) return
      for (const role of [...standing, ...roles]) {
        if ((dueMs.get(role) ?? 0) > clock.now()) continue
        try {
          await node.contentRouting.provide(await roleToCid(network, role), { signal: options.attempt() })
          dueMs.set(role, clock.now() + ROLE_RENEW_MS)
        } catch (error) {
          logger.debug('role not announced', { role, error: errorMessage(error) })
        }
      }
    },
    get arePut () { return dueMs.size > 0 },
    renew: () => { dueMs.clear() },
    lookUp: async (node, role, signal) => {
      const found = new Map<string, PeerInfo['id']>()
      try {
        for await (const provider of node.contentRouting.findProviders(await roleToCid(network, role), { signal })) {
          if (provider.id.equals(node.peerId)) continue
          if (provider.multiaddrs.length > 0) await node.peerStore.merge(provider.id, { multiaddrs: provider.multiaddrs })
          else if (!await node.peerStore.has(provider.id)) continue
          found.set(provider.id.toString(), provider.id)
        }
      } catch (error) {
        logger.debug('role lookup ended', { role, found: found.size, error: errorMessage(error) })
      }
      return [...found.values()]
    }
  }
}
