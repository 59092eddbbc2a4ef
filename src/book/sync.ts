import type { Clock } from '../core/clock.ts'
import { errorCode, errorMessage } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { Random } from '../core/random.ts'
import type { Mesh } from '../mesh/mesh.ts'
import { BookError } from './errors.ts'
import { RECONCILE } from './options.ts'
import type { Session } from './reconcile.ts'

/**
 * How one peer's book compares with ours, as of the last session with it: over the shards that both follow. `differing` of these
 * differ, `unshared` are ours alone.
 */
export interface PeerStatus { peerId: string, equal: boolean, missing: number, extra: number, records: number, differing: number[], unshared: number[], atMs: number }

/** Decides when to reconcile with whom: on connect, and about once a minute with a few peers in turn. One session per peer at a time. */
export interface Sync {
  start: () => void
  /** Breaks off what runs and waits for it. */
  stop: () => Promise<void>
  /** A session now; joins the one that runs. Rejects as `reconcileWith`. */
  now: (peerId: string, signal: AbortSignal) => Promise<{ received: number, sent: number }>
  /** The peer moves records in a session of its own: one session serves both, so ours with it waits. */
  noteMoving: (peerId: string) => void
  status: () => PeerStatus[]
}

/** A session that was cut short by its limits is continued at once, so often. */
const MAX_CONTINUED = 8

export function createSync (
  components: { mesh: Pick<Mesh, 'peers' | 'onPeer'>, clock: Clock, random: Random, logger: Logger, run: (peerId: string, signal: AbortSignal) => Promise<Session> }
): Sync {
  const { mesh, clock, random, logger, run } = components
  const rows = new Map<string, PeerStatus>()
  const running = new Map<string, Promise<{ received: number, sent: number }>>()
  const failures = new Map<string, { count: number, untilMs: number }>()
  /** When each peer was last asked. */
  const asked = new Map<string, number>()
  /** When each peer last moved records in its session. */
  const moving = new Map<string, number>()
  const timers = new Set<() => void>()
  let stopping = new AbortController()
  let leave: (() => void) | undefined

  const later = (delayMs: number, task: () => void): void => {
    const cancel = clock.after(delayMs, () => { timers.delete(cancel); task() })
    timers.add(cancel)
  }
  const note = (peerId: string, row: PeerStatus): void => {
    rows.delete(peerId)
    rows.set(peerId, row)
    if (rows.size > RECONCILE.maxStatus) rows.delete(rows.keys().next().value as string)
  }

  const session = async (peerId: string, signal: AbortSignal): Promise<{ received: number, sent: number }> => {
    const total = { received: 0, sent: 0 }
    for (let part = 0; part < MAX_CONTINUED; part++) {
      const result = await run(peerId, signal)
      total.received += result.received
      total.sent += result.sent
      const { missing, extra, records, isCut, differing, unshared } = result
      note(peerId, { peerId, equal: missing === 0 && extra === 0 && !isCut, missing, extra, records: records + result.received, differing: [...differing].sort((a, b) => a - b), unshared, atMs: clock.now() })
      if (!isCut || result.received + result.sent === 0) break
    }
    return total
  }
  const limited = async (peerId: string, signal: AbortSignal): Promise<{ received: number, sent: number }> => {
    const late = new AbortController()
    const onAbort = (): void => { late.abort(signal.aborted ? signal.reason : stopping.signal.reason) }
    const sources = [signal, stopping.signal]
    for (const source of sources) source.addEventListener('abort', onAbort, { once: true })
    if (sources.some((source) => source.aborted)) onAbort()
    const cancel = clock.after(RECONCILE.sessionTimeoutMs, () => { late.abort(new BookError('BOOK_TIMEOUT', 'the session took too long')) })
    try {
      return await session(peerId, late.signal)
    } finally {
      cancel()
      for (const source of sources) source.removeEventListener('abort', onAbort)
    }
  }
  const now = async (peerId: string, signal: AbortSignal): Promise<{ received: number, sent: number }> => {
    const current = running.get(peerId)
    if (current !== undefined) return await current
    const mine = limited(peerId, signal).finally(() => { running.delete(peerId) })
    running.set(peerId, mine)
    return await mine
  }

  /** Of both sides' sessions at once each moves what the other moves: half of the bytes and of the work for nothing. */
  const isMoving = (peerId: string): boolean => clock.now() - (moving.get(peerId) ?? -Infinity) < RECONCILE.inboundDelayMs
  const isConnected = (peerId: string): boolean => mesh.peers().some((peer) => peer.peerId === peerId)
  /** One try by our own choice; a peer that fails or holds back is left alone for longer each time. */
  const attempt = async (peerId: string): Promise<void> => {
    if (stopping.signal.aborted || !isConnected(peerId) || isMoving(peerId) || clock.now() < (failures.get(peerId)?.untilMs ?? 0)) return
    asked.set(peerId, clock.now())
    try {
      await now(peerId, stopping.signal)
      if ((rows.get(peerId)?.missing ?? 0) > 0) throw new BookError('BOOK_RECONCILE', 'the peer names records that it does not give')
      failures.delete(peerId)
    } catch (error) {
      if (stopping.signal.aborted) return
      const count = (failures.get(peerId)?.count ?? 0) + 1
      const delayMs = Math.min(RECONCILE.maxBackOffMs, RECONCILE.backOffMs * 2 ** (count - 1))
      failures.delete(peerId)
      failures.set(peerId, { count, untilMs: clock.now() + delayMs })
      if (failures.size > RECONCILE.maxStatus) failures.delete(failures.keys().next().value as string)
      logger.debug('book.reconcile', { peer: peerId, code: errorCode(error), error: errorMessage(error), delayMs })
      // A first failure is often a peer that still starts; later ones wait for the interval.
      if (delayMs < RECONCILE.intervalMs) later(delayMs, () => { void attempt(peerId) })
    }
  }
  const tick = (delayMs: number): void => {
    const spread = Math.floor(RECONCILE.intervalMs * RECONCILE.jitter)
    later(delayMs, () => {
      void choose().then(() => { tick(RECONCILE.intervalMs - spread + random.below(2 * spread + 1)) })
    })
  }
  const choose = async (): Promise<void> => {
    const peers = mesh.peers().map(({ peerId }) => peerId)
    for (const peerId of asked.keys()) if (!peers.includes(peerId)) asked.delete(peerId)
    const longestAgo = peers.sort((a, b) => (asked.get(a) ?? 0) - (asked.get(b) ?? 0))
    for (const peerId of longestAgo.slice(0, RECONCILE.peersPerInterval)) await attempt(peerId)
  }
  const greet = (peerId: string): void => {
    const direction = mesh.peers().find((peer) => peer.peerId === peerId)?.direction ?? 'outbound'
    const meet = (): void => {
      if (isMoving(peerId)) later(RECONCILE.inboundDelayMs, meet)
      else void attempt(peerId)
    }
    later(direction === 'outbound' ? 0 : RECONCILE.inboundDelayMs, meet)
  }
  return {
    start: () => {
      stopping = new AbortController()
      leave = mesh.onPeer((event) => { if (event.type === 'connect') greet(event.peerId) })
      for (const peer of mesh.peers()) later(0, () => { void attempt(peer.peerId) })
      // Nodes that started together do not ask together.
      tick(random.below(RECONCILE.intervalMs))
    },
    stop: async () => {
      leave?.()
      stopping.abort(new BookError('BOOK_STOPPED', 'the book is stopping'))
      for (const cancel of timers) cancel()
      timers.clear()
      await Promise.allSettled(running.values())
    },
    now,
    noteMoving: (peerId) => {
      moving.delete(peerId)
      moving.set(peerId, clock.now())
      if (moving.size > RECONCILE.maxStatus) moving.delete(moving.keys().next().value as string)
    },
    status: () => [...rows.values()]
  }
}
