import type { Connection, ConnectionGater, PeerId } from '@libp2p/interface'
import type { GossipSub } from '@chainsafe/libp2p-gossipsub'
import type { CircuitRelayService } from '@libp2p/circuit-relay-v2'
import type { Clock } from '../core/clock.ts'
import { errorMessage } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { Datastore } from '../store/datastore.ts'
import type { AddressPolicy } from './address-policy.ts'
import { hostOf, isRelayed } from './addresses.ts'
import { createCircuit, type Circuit } from './circuit.ts'
import { MeshError } from './errors.ts'
import { gossipOptions } from './gossip.ts'
import type { IdentifyingNode } from './identify-again.ts'
import { loadIdentityKey } from './identity-key.ts'
import { natServices } from './nat-services.ts'
import { ADDRESS_DIAL_TIMEOUT_MS, DEFAULT_LISTEN, DEFAULT_MAX_CONNECTIONS, DHT_PROTOCOL, INBOUND_CONNECTIONS_PER_SECOND, MAX_PENDING_INBOUND_CONNECTIONS, MAX_STREAM_WINDOW_BYTES, PEER_ADDRESS_AGE_MS, ROLE_RENEW_MS, ROLE_SWEEP_MS, ROLE_VALIDITY_MS, type MeshOptions } from './options.ts'
import { PeerDatastore } from './peer-datastore.ts'
import type { OwnAddress } from './reachability.ts'
import { reuseRelayed } from './reuse-relayed.ts'
import { silentLog } from './silent-log.ts'
import { swarmProtector } from './swarm-key.ts'
import { webSocketTransport } from './websockets.ts'

/** What we use of gossipsub beyond its public type: the score of a peer, whether our stream to it lives, and its timer. */
interface GossipInternals {
  score: { score: (peer: string) => number, scoreCache: Map<string, unknown> }
  peers: Map<string, PeerId>
  streamsOutbound: Map<string, unknown>
  createOutboundStream: (peer: PeerId, connection: Connection) => Promise<void>
  status: { heartbeatTimeout?: NodeJS.Timeout }
}

/** A running libp2p with its gossip. */
export interface Host {
  libp2p: IdentifyingNode
  gossip: GossipSub
  /** Gossipsub's score of a peer as of now. */
  score: (peer: string) => number
  /** Opens the gossip stream to a peer anew where it broke; gossipsub does so only on a new connection. */
  mendGossip: (peer: string) => void
  /** Places at relays. */
  circuit: Circuit
  /** The relay for others, when this node is one. */
  relay: CircuitRelayService | undefined
  /** Our own addresses, also those that nobody has verified. */
  ownAddresses: () => OwnAddress[]
  /** Whether this node answers for the directory (DHT), or only asks: who cannot be dialled cannot answer. */
  serveDirectory: (serves: boolean) => Promise<void>
  stop: () => Promise<void>
}

/** libp2p leaves one-second timers behind, of which these two write to a datastore that is closed by then. */
interface Debounced { _updatePeerStoreAddresses?: { stop: () => void }, _push?: { stop: () => void } }

/** Starts libp2p. Its modules are loaded here, in parallel, so that importing `mesh/` costs nothing. MeshError MESH_PORT_IN_USE, MESH_LISTEN, MESH_PSK. */
export async function startHost (components: { datastore: Datastore, identity: Datastore, clock: Clock, logger: Logger, gater: ConnectionGater, policy: AddressPolicy, appScore: (peer: string) => number }, options: MeshOptions): Promise<Host> {
  const listen = options.listen ?? DEFAULT_LISTEN
  const { policy } = components
  const [privateKey, { createLibp2p }, { gatheredTcp }, { leanNoise }, { steadyYamux }, { identify, identifyPush }, { ping }, { kadDHT }, { gossipsub }, { bootstrap }, webSockets, circuit, nat, protector] = await Promise.all([
    loadIdentityKey(components.identity), import('libp2p'), import('./gathered-tcp.ts'), import('./lean-noise.ts'), import('./steady-yamux.ts'), import('@libp2p/identify'),
    import('@libp2p/ping'), import('@libp2p/kad-dht'), import('@chainsafe/libp2p-gossipsub'), import('@libp2p/bootstrap'), webSocketTransport(listen),
    createCircuit(), natServices(options), options.psk === undefined ? undefined : swarmProtector(options.psk)
  ])
  const peers = new PeerDatastore({ ...components, disk: components.datastore.interface })
  await peers.load()
  const withId = (options.bootstrap ?? []).filter((address) => address.includes('/p2p/'))
  /** Where the relays stand through which peers are connected now. */
  const relayHosts = (): Set<string> => new Set(libp2p.getConnections().filter(({ remoteAddr }) => isRelayed(remoteAddr)).map(({ remoteAddr }) => hostOf(remoteAddr).host))
  const libp2p = await createLibp2p({
    start: false,
    ...(options.libp2pLog === true ? {} : { logger: silentLog }),
    privateKey,
    datastore: peers,
    nodeInfo: { name: 'lilynode', userAgent: 'lilynode' },
    // A private node adds what it announces to its relayed addresses, which `announce` would replace.
    addresses: { listen: [...listen], [options.reachability === 'private' ? 'appendAnnounce' : 'announce']: [...options.announce ?? []], announceFilter: policy.announced },
    transports: [...(options.tcp === false ? [] : [gatheredTcp()]), webSockets, circuit.transport],
    ...(protector === undefined ? {} : { connectionProtector: protector }),
    connectionEncrypters: [leanNoise()],
    // `heartbeats.ts` pings as often as yamux would.
    streamMuxers: [steadyYamux({ enableKeepAlive: false, streamOptions: { maxStreamWindowSize: MAX_STREAM_WINDOW_BYTES } })],
    connectionGater: components.gater,
    connectionManager: { maxConnections: options.maxConnections ?? DEFAULT_MAX_CONNECTIONS, inboundConnectionThreshold: INBOUND_CONNECTIONS_PER_SECOND, maxIncomingPendingConnections: MAX_PENDING_INBOUND_CONNECTIONS, addressDialTimeout: ADDRESS_DIAL_TIMEOUT_MS },
    // `heartbeats.ts` is in its place.
    connectionMonitor: { enabled: false },
    peerStore: { maxAddressAge: PEER_ADDRESS_AGE_MS, maxPeerAge: PEER_ADDRESS_AGE_MS },
    // The first dial only; discovery.ts goes on where it fails.
    ...(withId.length > 0 ? { peerDiscovery: [bootstrap({ list: withId, timeout: 0, tagTTL: 24 * 3_600_000 })] } : {}),
    services: {
      identify: identify({ protocolPrefix: 'lily' }),
      identifyPush: identifyPush({ protocolPrefix: 'lily' }),
      ping: ping({ protocolPrefix: 'lily' }),
      dht: kadDHT({
        protocol: DHT_PROTOCOL,
        clientMode: options.reachability === 'private',
        peerInfoMapper: policy.known,
        allowQueryWithZeroPeers: true,
        reprovide: { validity: ROLE_VALIDITY_MS, threshold: ROLE_RENEW_MS, interval: ROLE_SWEEP_MS }
      }),
      gossip: gossipsub(gossipOptions(options.topics, { appScore: components.appScore, isRelay: (ip) => relayHosts().has(ip) })),
      ...nat
    }
  })
  reuseRelayed(libp2p)
  try {
    await libp2p.start()
  } catch (error) {
    await libp2p.stop()
    throw listenError(error, listen)
  }
  const gossip = libp2p.services.gossip
  const internals = gossip as unknown as GossipInternals
  const { components: parts } = libp2p as unknown as { components: { addressManager: Debounced & { getAddressesWithMetadata: () => OwnAddress[] } } }
  return {
    libp2p,
    gossip,
    score: (peer) => {
      // Cached for a heartbeat otherwise, in which a flooding peer gets thousands of messages judged.
      internals.score.scoreCache.delete(peer)
      return internals.score.score(peer)
    },
    mendGossip: (peer) => {
      const id = internals.peers.get(peer)
      if (id === undefined || internals.streamsOutbound.has(peer)) return
      const connection = libp2p.getConnections(id).find((candidate) => candidate.status === 'open')
      if (connection !== undefined) void internals.createOutboundStream(id, connection)
    },
    circuit,
    relay: (libp2p.services as { relay?: CircuitRelayService }).relay,
    ownAddresses: () => parts.addressManager.getAddressesWithMetadata(),
    serveDirectory: async (serves) => { await libp2p.services.dht.setMode(serves ? 'server' : 'client') },
    stop: async () => {
      const { heartbeatTimeout } = internals.status
      await libp2p.stop()
      clearTimeout(heartbeatTimeout)
      parts.addressManager._updatePeerStoreAddresses?.stop()
      ;(libp2p.services.identifyPush as Debounced)._push?.stop()
      await peers.finish()
    }
  }
}

/** libp2p puts every listener's failure into one text; the address that is taken stands in it. */
function listenError (error: unknown, listen: readonly string[]): MeshError {
  const text = errorMessage(error)
  if (!text.includes('EADDRINUSE')) {
    const reason = /Error: (.+)/.exec(text)?.[1] ?? text
    return new MeshError('MESH_LISTEN', `cannot listen on ${listen.join(', ')}: ${reason}`, { data: { listen }, cause: error, hint: 'Name addresses of this machine, like /ip4/127.0.0.1/tcp/0 or /ip4/0.0.0.0/tcp/4001.' })
  }
  const [, ip = '', port = ''] = /EADDRINUSE: address already in use ([^\s]+):(\d+)/.exec(text) ?? []
  const taken = listen.find((address) => address.includes(`/tcp/${port}`) && address.includes(ip)) ?? listen.find((address) => address.includes(`/tcp/${port}`)) ?? listen.join(', ')
  return new MeshError('MESH_PORT_IN_USE', `port ${port} of ${taken} is taken`, { data: { address: taken }, hint: 'Stop the other process, or choose another port; 0 lets the system choose.', cause: error })
}
