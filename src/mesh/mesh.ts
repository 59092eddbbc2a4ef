import type { Libp2p, PeerId } from '@libp2p/interface'
import type { Clock } from '../core/clock.ts'
import type { Startable } from '../core/lifecycle.ts'
import type { Logger } from '../core/logger.ts'
import type { Random } from '../core/random.ts'
import { errorMessage } from '../core/errors.ts'
import type { Datastore } from '../store/datastore.ts'
import { createAddressPolicy } from './address-policy.ts'
import { ANY_ROLE, createDiscovery, RELAY_ROLE, type RoleDirectory } from './discovery.ts'
import { MeshError } from './errors.ts'
import { createHeartbeats } from './heartbeats.ts'
import { startHost, type Host } from './host.ts'
import { DEFAULT_GRAYLIST_MS, DEFAULT_REACHABILITY_GRACE_MS, DEFAULT_TARGET_PEERS, type MeshOptions } from './options.ts'
import { createPeerScore } from './peer-score.ts'
import { createReachabilityWatch, type Reachability } from './reachability.ts'
import { createRelayKeeper } from './relay-keeper.ts'
import { createRelayAdmission } from './relay-server.ts'
import { createRequests, type Requests } from './requests.ts'
import { isKeyMismatch, KEY_HINT } from './swarm-key.ts'
import { createTopics, type Topics } from './topics.ts'

export type { MeshOptions } from './options.ts'

/** One connected peer. `connectedAtMs` is unix time of its oldest connection. */
export interface PeerSummary { peerId: string, address: string, direction: 'inbound' | 'outbound', score: number, connectedAtMs: number }

export interface PeerEvent { peerId: string, type: 'connect' | 'disconnect' }

/** Whether others can dial the node, and the peer ids of the relays through which they reach it otherwise. */
export interface ReachabilityView { state: Reachability, relays: string[] }

/** The node's peer-to-peer host. Before `start`, `peerId` and `libp2p` throw MESH_STOPPED; topics and requests can be set up. */
export interface Mesh extends Startable {
  readonly peerId: string
  /** Multiaddrs others reach us at, each with `/p2p/<peer id>`. */
  addresses: () => string[]
  peers: () => PeerSummary[]
  reachability: () => ReachabilityView
  /** Dials a multiaddr and resolves to the peer id found there. MeshError MESH_ADDRESS, MESH_UNREACHABLE. */
  connect: (address: string, options: { signal: AbortSignal }) => Promise<string>
  /** Lowers a peer's score; below the graylist threshold it is cut off and refused for a while. */
  penalise: (peerId: string, points: number, reason: string) => void
  onPeer: (listener: (event: PeerEvent) => void) => () => void
  readonly topics: Topics
  readonly requests: Requests
  readonly roles: RoleDirectory
  /** For store/ only. */
  readonly libp2p: Libp2p
}

/** Builds the host; nothing is loaded or opened before `start`. `identity`: where the peer key is, if several hosts of one node share it. */
export function createMesh (components: { datastore: Datastore, identity?: Datastore, logger: Logger, clock: Clock, random: Random }, options: MeshOptions): Mesh {
  const { datastore, clock } = components
  const logger = components.logger.child('mesh')
  const listeners = new Set<(event: PeerEvent) => void>()
  const score = createPeerScore({ clock, logger }, { graylistMs: options.graylistMs ?? DEFAULT_GRAYLIST_MS })
  const topics = createTopics({ logger, clock, random: components.random, isWelcome: score.isWelcome, isGraylisted: score.isGraylisted, penalise: score.penalise }, { topics: options.topics })
  const requests = createRequests({ clock, logger, penalise: score.penalise })
  const bootstrap = options.bootstrap ?? []
  const discovery = createDiscovery({ clock, logger, datastore, isGraylisted: score.isGraylisted }, { network: options.network, bootstrap, targetPeers: options.targetPeers ?? DEFAULT_TARGET_PEERS, standing: options.relay === true ? [ANY_ROLE, RELAY_ROLE] : [ANY_ROLE], hasKey: options.psk !== undefined })
  const policy = createAddressPolicy({ isPublic: options.isPublic === true, announce: options.announce ?? [], bootstrap })
  const admission = createRelayAdmission({ clock, isGraylisted: score.isGraylisted, canServe: () => reachability.state() !== 'private' })
  const keeper = createRelayKeeper({ clock, logger })
  const heartbeats = createHeartbeats({ clock, random: components.random, logger })
  const reachability = createReachabilityWatch({ clock, logger, onChange: (state) => { adapt(state).catch((error: unknown) => { logger.warn('reachability not applied', { state, error: errorMessage(error) }) }) } }, { isPublic: options.isPublic === true, told: options.reachability ?? 'auto', graceMs: options.reachabilityGraceMs ?? DEFAULT_REACHABILITY_GRACE_MS })
  let host: Host | undefined

  const running = (): Libp2p => {
    if (host === undefined) throw new MeshError('MESH_STOPPED', 'the mesh is not running')
    return host.libp2p
  }
  const tell = (type: PeerEvent['type']) => (event: CustomEvent<PeerId>): void => {
    for (const listener of listeners) listener({ peerId: event.detail.toString(), type })
  }
  const onConnect = tell('connect')
  const onDisconnect = tell('disconnect')
  const cut = (peer: string): void => {
    for (const connection of host?.libp2p.getConnections() ?? []) {
      if (connection.remotePeer.toString() === peer) connection.abort(new MeshError('MESH_GRAYLISTED', 'the peer is graylisted'))
    }
  }
  /** A node that cannot be dialled keeps places at relays and leaves the directory to those that can. */
  const adapt = async (state: Reachability): Promise<void> => {
    if (host === undefined) return
    const { libp2p, circuit, serveDirectory } = host
    const reservations = circuit.reservations()
    if (state === 'private' && reservations !== undefined) {
      keeper.start({ libp2p, reservations, openPlaces: async () => { await circuit.openPlaces(libp2p) }, find: async (signal) => await discovery.find(RELAY_ROLE, { signal }) })
    } else {
      await keeper.stop()
    }
    await serveDirectory(state !== 'private')
  }
  /** Only relays that hold a place for us may bring us connections. */
  const denyInboundRelayedConnection = (relay: PeerId, peer: PeerId): boolean => host?.circuit.reservations()?.hasReservation(relay) !== true || score.isGraylisted(peer.toString())
  return {
    get peerId () { return running().peerId.toString() },
    get libp2p () { return running() },
    topics,
    requests,
    roles: discovery,
    penalise: score.penalise,
    addresses: () => running().getMultiaddrs().map(String),
    peers: () => {
      const summaries = new Map<string, PeerSummary>()
      for (const { remotePeer, remoteAddr, direction, timeline, status } of host?.libp2p.getConnections() ?? []) {
        const peerId = remotePeer.toString()
        if (status !== 'open' || (summaries.get(peerId)?.connectedAtMs ?? Infinity) <= timeline.open) continue
        summaries.set(peerId, { peerId, address: remoteAddr.toString(), direction, score: score.score(peerId), connectedAtMs: timeline.open })
      }
      return [...summaries.values()]
    },
    reachability: () => {
      const reservations = host?.circuit.reservations()
      return { state: reachability.state(), relays: (host?.libp2p.getPeers() ?? []).filter((peer) => reservations?.hasReservation(peer) === true).map(String) }
    },
    connect: async (address, { signal }) => {
      const libp2p = running()
      const { multiaddr } = await import('@multiformats/multiaddr')
      let target
      try {
        target = multiaddr(address)
      } catch (error) {
        throw new MeshError('MESH_ADDRESS', `${address} is not a multiaddr`, { data: { address }, hint: 'Write it like /ip4/192.0.2.1/tcp/4001/p2p/12D3Koo...', cause: error })
      }
      policy.allow(address)
      try {
        return (await libp2p.dial(target, { signal })).remotePeer.toString()
      } catch (error) {
        throw new MeshError('MESH_UNREACHABLE', `cannot reach ${address}: ${errorMessage(error)}`, { data: { address }, hint: isKeyMismatch(error, options.psk !== undefined) ? KEY_HINT : '', cause: error })
      }
    },
    onPeer: (listener) => {
      listeners.add(listener)
      return () => { listeners.delete(listener) }
    },
    start: async () => {
      if (host !== undefined) return
      const started = await startHost({ datastore, identity: components.identity ?? datastore, clock, logger, gater: { ...score.gater, ...policy.gater, ...admission.gater, denyInboundRelayedConnection }, policy, appScore: score.appScore }, options)
      host = started
      const { libp2p } = started
      libp2p.addEventListener('peer:connect', onConnect)
      libp2p.addEventListener('peer:disconnect', onDisconnect)
      heartbeats.start(libp2p)
      await requests.attach(libp2p)
      topics.attach(started.gossip)
      score.start({
        connected: () => {
          const ids = [...new Set(libp2p.getConnections().map(({ remotePeer }) => remotePeer.toString()))]
          ids.forEach(started.mendGossip)
          return ids
        },
        onHeartbeat: (task) => {
          started.gossip.addEventListener('gossipsub:heartbeat', task)
          return () => { started.gossip.removeEventListener('gossipsub:heartbeat', task) }
        },
        score: started.score,
        cut
      })
      if (started.relay !== undefined) admission.attach(libp2p, started.relay)
      await discovery.start(libp2p)
      reachability.start({ libp2p, ownAddresses: started.ownAddresses })
      logger.info('listening', { peerId: libp2p.peerId.toString(), addresses: libp2p.getMultiaddrs().map(String) })
    },
    stop: async () => {
      if (host === undefined) return
      const { libp2p, stop } = host
      reachability.stop()
      heartbeats.stop()
      await keeper.stop()
      admission.detach()
      await discovery.stop()
      score.stop()
      topics.detach()
      await requests.detach()
      await stop()
      libp2p.removeEventListener('peer:connect', onConnect)
      libp2p.removeEventListener('peer:disconnect', onDisconnect)
      host = undefined
    }
  }
}
