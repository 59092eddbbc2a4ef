import type { ConnectionGater, PeerId } from '@libp2p/interface'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { MAX_REMEMBERED_PEERS, PENALTY_HALF_LIFE_MS, SCORE_THRESHOLDS } from './options.ts'

/** What the score needs of the running host; given on start. */
export interface ScoredHost {
  connected: () => string[]
  /** Calls `task` once a second, with gossipsub's heartbeat, until what it returns is called. */
  onHeartbeat: (task: () => void) => () => void
  /** Gossipsub's score, which includes `appScore`. */
  score: (peer: string) => number
  /** Closes every connection with the peer at once. */
  cut: (peer: string) => void
}

/** Who behaved how; cuts and refuses those below the graylist threshold, which gossipsub itself does not do. */
export interface PeerScore {
  /** Lowers a peer's score by `points`, which halve every PENALTY_HALF_LIFE_MS. */
  penalise: (peer: string, points: number, reason: string) => void
  /** What `penalise` holds against a peer: zero or below. */
  appScore: (peer: string) => number
  score: (peer: string) => number
  isGraylisted: (peer: string) => boolean
  /** Looks at a peer's score now, cuts it off where that is too low, and says whether it may stay. */
  isWelcome: (peer: string) => boolean
  /** Refuses connections from and to graylisted peers. */
  readonly gater: ConnectionGater
  start: (host: ScoredHost) => void
  stop: () => void
}

export function createPeerScore (components: { clock: Clock, logger: Logger }, options: { graylistMs: number }): PeerScore {
  const { clock, logger } = components
  const penalties = new Map<string, { points: number, atMs: number }>()
  const graylist = new Map<string, number>()
  let host: ScoredHost | undefined
  let cancel = (): void => undefined

  const appScore = (peer: string): number => {
    const entry = penalties.get(peer)
    return entry === undefined ? 0 : -entry.points * 2 ** ((entry.atMs - clock.now()) / PENALTY_HALF_LIFE_MS)
  }
  const isGraylisted = (peer: string): boolean => {
    const untilMs = graylist.get(peer)
    if (untilMs !== undefined && untilMs <= clock.now()) graylist.delete(peer)
    return graylist.has(peer)
  }
  const score = (peer: string): number => {
    const gossip = host?.score(peer) ?? 0
    const own = appScore(peer)
    // Gossipsub adds ours, but caches the sum for a heartbeat; a fresh penalty counts at once.
    return own < 0 ? Math.min(gossip, own) : gossip
  }
  const check = (peer: string): void => {
    if (host === undefined) return
    const value = score(peer)
    if (value > SCORE_THRESHOLDS.graylistThreshold) return
    if (!isGraylisted(peer)) logger.warn('peer graylisted', { peer, score: Math.round(value), forMs: options.graylistMs })
    remember(graylist, peer, clock.now() + options.graylistMs)
    host.cut(peer)
  }
  const poll = (): void => {
    for (const peer of host?.connected() ?? []) check(peer)
  }
  const deny = (peer: PeerId): boolean => isGraylisted(peer.toString())
  return {
    appScore,
    score,
    isGraylisted,
    isWelcome: (peer) => {
      check(peer)
      return !isGraylisted(peer)
    },
    penalise: (peer, points, reason) => {
      remember(penalties, peer, { points: points - appScore(peer), atMs: clock.now() })
      logger.debug('peer penalised', { peer, points, reason })
      check(peer)
    },
    gater: {
      denyDialPeer: deny,
      denyInboundEncryptedConnection: deny,
      denyOutboundEncryptedConnection: deny
    },
    start: (scored) => {
      host = scored
      cancel = scored.onHeartbeat(poll)
    },
    stop: () => {
      cancel()
      host = undefined
    }
  }
}

/** Sets a bounded map's entry as its newest. */
function remember<V> (map: Map<string, V>, key: string, value: V): void {
  map.delete(key)
  map.set(key, value)
  if (map.size > MAX_REMEMBERED_PEERS) map.delete(map.keys().next().value as string)
}
