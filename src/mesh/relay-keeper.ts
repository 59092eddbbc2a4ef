import type { Libp2p, PeerId } from '@libp2p/interface'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { errorMessage } from '../core/errors.ts'
import { HOP, type Reservations } from './circuit.ts'
import { ATTEMPT_TIMEOUT_MS, LOOKUP_GAP_MS, MAX_REMEMBERED_PEERS, RELAY_DIALS_PER_ROUND, RELAY_REST_MAX_MS, RELAY_REST_MIN_MS, RELAY_RETRY_MAX_MS, RELAY_RETRY_MIN_MS, RELAYS_WANTED } from './options.ts'

/** What the keeper needs of the running host. */
export interface RelayHost {
  libp2p: Libp2p
  reservations: Reservations
  openPlaces: () => Promise<void>
  /** Peer ids that say they relay, with known addresses. */
  find: (signal: AbortSignal) => Promise<string[]>
}

/** The watchdog of a node that nobody can dial: keeps it at RELAYS_WANTED relays. */
export interface RelayKeeper {
  start: (host: RelayHost) => void
  /** Keeps the places there are, and looks for no others. */
  stop: () => Promise<void>
}

/** Looks for relays when one goes, when a peer comes that may be one, and with growing pauses while too few are found. */
export function createRelayKeeper (components: { clock: Clock, logger: Logger }): RelayKeeper {
  const { clock, logger } = components
  const resting = new Map<string, { waitMs: number, untilMs: number }>()
  let host: RelayHost | undefined
  let opened: Reservations | undefined
  let stopping = new AbortController()
  let loop: Promise<void> = Promise.resolve()
  let wake = (): void => undefined
  let lost = false
  let nextSearchMs = 0

  const rest = (peer: string): void => {
    const waitMs = Math.min(RELAY_REST_MAX_MS, (resting.get(peer)?.waitMs ?? RELAY_REST_MIN_MS / 2) * 2)
    resting.delete(peer)
    resting.set(peer, { waitMs, untilMs: clock.now() + waitMs })
    if (resting.size > MAX_REMEMBERED_PEERS) resting.delete(resting.keys().next().value as string)
  }
  const isResting = (peer: PeerId): boolean => (resting.get(peer.toString())?.untilMs ?? 0) > clock.now()
  const isRelay = async (libp2p: Libp2p, peer: PeerId): Promise<boolean> => await libp2p.peerStore.has(peer) && (await libp2p.peerStore.get(peer)).protocols.includes(HOP)
  const isDirect = (libp2p: Libp2p, peer: PeerId): boolean => libp2p.getConnections(peer).some(({ limits, status }) => limits === undefined && status === 'open')

  const takePlaces = async ({ libp2p, reservations }: RelayHost): Promise<void> => {
    for (const peer of libp2p.getPeers()) {
      if (reservations.reservationCount() >= RELAYS_WANTED || stopping.signal.aborted) return
      if (isResting(peer) || reservations.hasReservation(peer) || !isDirect(libp2p, peer) || !await isRelay(libp2p, peer)) continue
      try {
        await reservations.addRelay(peer, 'discovered')
        resting.delete(peer.toString())
        logger.info('relay kept', { relay: peer.toString(), relays: reservations.reservationCount() })
      } catch (error) {
        rest(peer.toString())
        logger.debug('no place at the relay', { relay: peer.toString(), error: errorMessage(error) })
      }
    }
  }
  /** Relays of earlier runs and of the directory; a dial that succeeds wakes the loop once the peer has told its protocols. */
  const dialMore = async ({ libp2p, find }: RelayHost): Promise<void> => {
    const { peerIdFromString } = await import('@libp2p/peer-id')
    const signal = (): AbortSignal => AbortSignal.any([stopping.signal, AbortSignal.timeout(ATTEMPT_TIMEOUT_MS)])
    const known = (await libp2p.peerStore.all()).filter((peer) => peer.protocols.includes(HOP)).map((peer) => peer.id)
    const found = (await find(signal())).map((id) => peerIdFromString(id))
    const candidates = new Map([...known, ...found].map((peer) => [peer.toString(), peer]))
    const ready = [...candidates.values()].filter((peer) => !peer.equals(libp2p.peerId) && !isResting(peer) && !isDirect(libp2p, peer))
    await Promise.all(ready.slice(0, RELAY_DIALS_PER_ROUND).map(async (peer) => {
      await libp2p.dial(peer, { signal: signal(), force: true }).catch(() => { rest(peer.toString()) })
    }))
  }
  const round = async (running: RelayHost): Promise<void> => {
    if (opened !== running.reservations) {
      opened = running.reservations
      await running.openPlaces()
    }
    await takePlaces(running)
    if (running.reservations.reservationCount() >= RELAYS_WANTED || running.libp2p.getPeers().length === 0 || clock.now() < nextSearchMs) return
    nextSearchMs = clock.now() + LOOKUP_GAP_MS
    await dialMore(running)
  }
  /** True when the time is out, false when something woke the loop. */
  const pause = async (waitMs: number): Promise<boolean> => {
    const woken = new Promise<boolean>((resolve) => { wake = () => { resolve(false) } })
    const over = new AbortController()
    const isOut = await Promise.race([woken, clock.wait(waitMs, AbortSignal.any([stopping.signal, over.signal])).then(() => true, () => false)])
    over.abort()
    return isOut
  }
  const run = async (running: RelayHost): Promise<void> => {
    let waitMs = RELAY_RETRY_MIN_MS
    while (!stopping.signal.aborted) {
      await round(running).catch((error: unknown) => { logger.debug('relay search failed', { error: errorMessage(error) }) })
      const isOut = await pause(waitMs)
      waitMs = lost ? RELAY_RETRY_MIN_MS : isOut ? Math.min(RELAY_RETRY_MAX_MS, waitMs * 2) : waitMs
      lost = false
    }
  }
  const onLost = (event: Event): void => {
    const { relay } = (event as CustomEvent<{ relay: PeerId }>).detail
    logger.warn('relay lost', { relay: relay.toString(), relays: host?.reservations.reservationCount() })
    lost = true
    wake()
  }
  const onIdentify = (event: CustomEvent<{ protocols: string[] }>): void => {
    if (event.detail.protocols.includes(HOP) && (host?.reservations.reservationCount() ?? RELAYS_WANTED) < RELAYS_WANTED) wake()
  }
  return {
    start: (started) => {
      if (host !== undefined) return
      stopping = new AbortController()
      host = started
      started.reservations.addEventListener('relay:removed', onLost)
      started.libp2p.addEventListener('peer:identify', onIdentify)
      loop = run(started)
    },
    stop: async () => {
      host?.reservations.removeEventListener('relay:removed', onLost)
      host?.libp2p.removeEventListener('peer:identify', onIdentify)
      host = undefined
      stopping.abort(new Error('the mesh stops'))
      wake()
      await loop
    }
  }
}
