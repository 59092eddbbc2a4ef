import type { ConnectionGater, Libp2p, PeerId } from '@libp2p/interface'
import type { circuitRelayServer, CircuitRelayService } from '@libp2p/circuit-relay-v2'
import type { Clock } from '../core/clock.ts'
import { hostOf, isLocalAddress } from './addresses.ts'
import { RELAY_CONNECTION_BYTES, RELAY_CONNECTION_MS, RELAY_CONNECTS_PER_MINUTE, RELAY_CONNECTS_PER_PEER, RELAY_MAX_RESERVATIONS, RELAY_RESERVATION_MS, RELAY_RESERVATIONS_PER_ADDRESS, RELAY_STREAMS_PER_NODE } from './options.ts'

const MINUTE_MS = 60_000

/** What a relay takes on beyond libp2p's own limits: who may hold a place, and how often somebody may be connected. */
export interface RelayAdmission {
  readonly gater: Pick<ConnectionGater, 'denyInboundRelayReservation' | 'denyOutboundRelayedConnection'>
  attach: (libp2p: Libp2p, service: CircuitRelayService) => void
  detach: () => void
}

/** The relay service with this network's limits (protocol/mesh.md). libp2p tells the other side the milliseconds as seconds; what counts is when we cut. */
export async function relayService (): Promise<ReturnType<typeof circuitRelayServer>> {
  const { circuitRelayServer } = await import('@libp2p/circuit-relay-v2')
  return circuitRelayServer({
    maxInboundHopStreams: RELAY_STREAMS_PER_NODE,
    maxOutboundStopStreams: RELAY_STREAMS_PER_NODE,
    reservations: { maxReservations: RELAY_MAX_RESERVATIONS, reservationTtl: RELAY_RESERVATION_MS, defaultDurationLimit: RELAY_CONNECTION_MS, defaultDataLimit: BigInt(RELAY_CONNECTION_BYTES) }
  })
}

/** `canServe` is false while nobody can dial this node: an address at a relay behind a relay is none. */
export function createRelayAdmission (components: { clock: Clock, isGraylisted: (peer: string) => boolean, canServe: () => boolean }): RelayAdmission {
  const { clock, isGraylisted, canServe } = components
  const connects = new Map<string, number>()
  let minute = 0
  let total = 0
  let libp2p: Libp2p | undefined
  let service: CircuitRelayService | undefined

  /** libp2p keeps the place of a node that is gone until it runs out: peer ids cost nothing, and would fill the relay. */
  const onDisconnect = (event: CustomEvent<PeerId>): void => {
    service?.reservations.get(event.detail)?.signal.clear()
    service?.reservations.delete(event.detail)
  }
  const hostOfPeer = (peer: PeerId): string | undefined => {
    const [connection] = libp2p?.getConnections(peer) ?? []
    return connection === undefined ? undefined : hostOf(connection.remoteAddr).host
  }
  const hasRoom = (peer: PeerId): boolean => {
    const ip = hostOfPeer(peer)
    if (service === undefined || ip === undefined || isLocalAddress(ip) || service.reservations.has(peer)) return true
    return [...service.reservations.values()].filter(({ addr }) => hostOf(addr).host === ip).length < RELAY_RESERVATIONS_PER_ADDRESS
  }
  const isWithinRate = (source: string): boolean => {
    const now = Math.floor(clock.now() / MINUTE_MS)
    if (now !== minute) {
      minute = now
      total = 0
      connects.clear()
    }
    const count = connects.get(source) ?? 0
    if (count >= RELAY_CONNECTS_PER_PEER || total >= RELAY_CONNECTS_PER_MINUTE) return false
    connects.set(source, count + 1)
    total++
    return true
  }
  return {
    gater: {
      denyInboundRelayReservation: (peer) => !canServe() || isGraylisted(peer.toString()) || !hasRoom(peer),
      denyOutboundRelayedConnection: (source, destination) => isGraylisted(source.toString()) || isGraylisted(destination.toString()) || !isWithinRate(source.toString())
    },
    attach: (started, relay) => {
      libp2p = started
      service = relay
      started.addEventListener('peer:disconnect', onDisconnect)
    },
    detach: () => {
      libp2p?.removeEventListener('peer:disconnect', onDisconnect)
      libp2p = undefined
      service = undefined
    }
  }
}
