import type { Libp2p } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { errorMessage } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import { ANNOUNCE_DELAY_MS, FEW_PEERS, MAX_RECENT_ROOTS, PROVIDE_TIMEOUT_MS } from './options.ts'

/** Tells the DHT what this node keeps, in the background. */
export interface Announcer {
  announce: (root: CID) => void
  withdraw: (root: CID, signal: AbortSignal) => Promise<void>
  stop: () => Promise<void>
}

/**
 * The DHT takes a record also when it knows no peer to store it at, and says nothing. So what was announced lately is
 * announced again when peers come, as long as there are few.
 */
export function createAnnouncer (components: { libp2p: Libp2p, logger: Logger }): Announcer {
  const { libp2p, logger } = components
  const stopping = new AbortController()
  const recent = new Map<string, CID>()
  const running = new Set<Promise<void>>()
  let timer: NodeJS.Timeout | undefined

  const provide = (root: CID): void => {
    if (stopping.signal.aborted) return
    const task = (async () => {
      try {
        await libp2p.contentRouting.provide(root, { signal: AbortSignal.any([stopping.signal, AbortSignal.timeout(PROVIDE_TIMEOUT_MS)]) })
      } catch (error) {
        logger.debug('not announced', { cid: root.toString(), error: errorMessage(error) })
      }
    })()
    running.add(task)
    void task.finally(() => { running.delete(task) })
  }
  const onPeer = (): void => {
    if (recent.size === 0 || libp2p.getPeers().length > FEW_PEERS) return
    timer ??= setTimeout(() => {
      timer = undefined
      for (const root of recent.values()) provide(root)
    }, ANNOUNCE_DELAY_MS).unref()
  }
  libp2p.addEventListener('peer:identify', onPeer)
  return {
    announce: (root) => {
      recent.set(root.toString(), root)
      if (recent.size > MAX_RECENT_ROOTS) recent.delete(recent.keys().next().value as string)
      provide(root)
    },
    withdraw: async (root, signal) => {
      recent.delete(root.toString())
      await libp2p.contentRouting.cancelReprovide(root, { signal })
    },
    stop: async () => {
      libp2p.removeEventListener('peer:identify', onPeer)
      clearTimeout(timer)
      stopping.abort(new Error('the block store stops'))
      await Promise.all(running)
    }
  }
}
