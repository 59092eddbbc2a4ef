import type { Libp2p, PeerId, Transport } from '@libp2p/interface'
import type { CircuitRelayTransportComponents } from '@libp2p/circuit-relay-v2'
import { RELAY_STREAMS_PER_NODE, RELAYS_WANTED } from './options.ts'

/** The protocol that a relay serves; peers that name it can be asked for a place. */
export const HOP = '/libp2p/circuit/relay/0.2.0/hop'
const SEARCH = '/p2p-circuit'

/** libp2p's list of our places at relays, which is not in its public type. It renews each and drops it with its connection. */
export interface Reservations extends Pick<EventTarget, 'addEventListener' | 'removeEventListener'> {
  addRelay: (peer: PeerId, type: 'discovered') => Promise<unknown>
  hasReservation: (peer: PeerId) => boolean
  reservationCount: () => number
}

/** Dialling through relays, and holding places at them. */
export interface Circuit {
  transport: (components: CircuitRelayTransportComponents) => Transport
  /** Before libp2p is built: nothing. */
  reservations: () => Reservations | undefined
  /** Opens the places: from now on what `addRelay` gets is announced. Once per host. */
  openPlaces: (libp2p: Libp2p) => Promise<void>
}

/**
 * libp2p's relay transport without its own search for relays, which walks the whole directory without a pause while it
 * lacks one (relay-keeper.ts searches), and without the places it takes at whoever relays to us: a stranger could have a
 * node announce any number of addresses.
 */
export async function createCircuit (): Promise<Circuit> {
  const { circuitRelayTransport } = await import('@libp2p/circuit-relay-v2')
  let reservations: Reservations | undefined
  return {
    transport: (components) => {
      const transport = circuitRelayTransport({ maxInboundStopStreams: RELAY_STREAMS_PER_NODE, maxOutboundStopStreams: RELAY_STREAMS_PER_NODE })(components)
      reservations = (transport as unknown as { reservationStore: Reservations }).reservationStore
      return Object.assign(transport, {
        discovery: undefined,
        listenFilter: (addresses: Parameters<Transport['listenFilter']>[0]) => addresses.filter((address) => address.toString() === SEARCH)
      })
    },
    reservations: () => reservations,
    openPlaces: async (libp2p) => {
      const { multiaddr } = await import('@multiformats/multiaddr')
      const { components } = libp2p as unknown as { components: { transportManager: { listen: (addresses: unknown[]) => Promise<void> } } }
      await components.transportManager.listen(Array.from({ length: RELAYS_WANTED }, () => multiaddr(SEARCH)))
    }
  }
}
