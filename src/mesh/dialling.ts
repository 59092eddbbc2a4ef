import type { PeerInfo } from '@libp2p/interface'
import type { Clock } from '../core/clock.ts'
import { errorMessage } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { IdentifyingNode } from './identify-again.ts'
import { RETRY_MAX_MS, RETRY_MIN_MS } from './options.ts'
import { isKeyMismatch, KEY_HINT } from './swarm-key.ts'

/** Dials that failed are not tried again for a while, twice as long each time. Nothing here rejects. */
export interface Dialling {
  /** The bootstrap addresses that are not connected. */
  bootstrap: (node: IdentifyingNode) => Promise<void>
  /** Up to `count` of the candidates that are not connected and may be tried now. */
  some: (node: IdentifyingNode, candidates: ReadonlyArray<PeerInfo['id']>, count: number) => Promise<void>
}

/** @param options.attempt - the time that one dial has. */
export function createDialling (components: { clock: Clock, logger: Logger, isGraylisted: (peer: string) => boolean }, options: { bootstrap: readonly string[], hasKey: boolean, attempt: () => AbortSignal }): Dialling {
  const { clock, logger } = components
  const backoff = new Map<string, { waitMs: number, nextMs: number }>()
  const warned = new Set<string>()

  const mayTry = (key: string): boolean => (backoff.get(key)?.nextMs ?? 0) <= clock.now()
  const tryDial = async (key: string, dial: (signal: AbortSignal) => Promise<unknown>): Promise<void> => {
    if (!mayTry(key)) return
    try {
      await dial(options.attempt())
      backoff.delete(key)
    } catch (error) {
      const waitMs = Math.min(RETRY_MAX_MS, (backoff.get(key)?.waitMs ?? RETRY_MIN_MS / 2) * 2)
      backoff.set(key, { waitMs, nextMs: clock.now() + waitMs })
      logger.debug('dial failed', { to: key, waitMs, error: errorMessage(error) })
      if (!options.bootstrap.includes(key) || warned.has(key) || !isKeyMismatch(error, options.hasKey)) return
      // Once per address: the owner has to do something, the node goes on trying.
      warned.add(key)
      logger.warn('no understanding with a bootstrap node', { address: key, hint: KEY_HINT })
    }
  }
  const connected = (node: IdentifyingNode): Set<string> => new Set(node.getPeers().map(String))

  return {
    bootstrap: async (node) => {
      const { multiaddr } = await import('@multiformats/multiaddr')
      const peers = connected(node)
      const open = new Set(node.getConnections().map((connection) => connection.remoteAddr.toString().split('/p2p/')[0]))
      await Promise.all(options.bootstrap.map(async (text) => {
        const [plain = text, id] = text.split('/p2p/')
        if (id === undefined ? open.has(plain) : peers.has(id)) return
        if (id === node.peerId.toString()) return
        await tryDial(text, async (signal) => await node.dial(multiaddr(text), { signal }))
      }))
    },
    some: async (node, candidates, count) => {
      const peers = connected(node)
      const ready = candidates.filter((id) => !peers.has(id.toString()) && !id.equals(node.peerId) && !components.isGraylisted(id.toString()) && mayTry(id.toString()))
      await Promise.all(ready.slice(0, count).map(async (id) => {
        await tryDial(id.toString(), async (signal) => await node.dial(id, { signal }))
      }))
    }
  }
}
