import type { Libp2p, PeerId } from '@libp2p/interface'
import type { Clock } from '../core/clock.ts'
import type { Startable } from '../core/lifecycle.ts'
import type { Logger } from '../core/logger.ts'
import { errorMessage } from '../core/errors.ts'
import type { Datastore } from '../store/datastore.ts'
import { createDiscovery, type RoleDirectory } from './discovery.ts'
import { MeshError } from './errors.ts'
import { startHost, type Host } from './host.ts'
import { DEFAULT_GRAYLIST_MS, DEFAULT_TARGET_PEERS, type MeshOptions } from './options.ts'
import { createPeerScore } from './peer-score.ts'
import { createRequests, type Requests } from './requests.ts'
import { createTopics, type Topics } from './topics.ts'

export type { MeshOptions } from './options.ts'

/** One connected peer. `connectedAtMs` is unix time of its oldest connection. */
export interface PeerSummary { peerId: string, address: string, direction: 'inbound' | 'outbound', score: number, connectedAtMs: number }

export interface PeerEvent { peerId: string, type: 'connect' | 'disconnect' }

/** The node's peer-to-peer host. Before `start`, `peerId` and `libp2p` throw MESH_STOPPED; topics and requests can be set up. */
export interface Mesh extends Startable {
  readonly peerId: string
  /** Multiaddrs others reach us at, each with `/p2p/<peer id>`. */
  addresses: () => string[]
  peers: () => PeerSummary[]
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

/** Builds the host; nothing is loaded or opened before `start`. */
export function createMesh (components: { datastore: Datastore, logger: Logger, clock: Clock }, options: MeshOptions): Mesh {
  const { datastore, clock } = components
  const logger = components.logger.child('mesh')
  const listeners = new Set<(event: PeerEvent) => void>()
  const score = createPeerScore({ clock, logger }, { graylistMs: options.graylistMs ?? DEFAULT_GRAYLIST_MS })
  const topics = createTopics({ logger, clock, isWelcome: score.isWelcome, penalise: score.penalise }, { topics: options.topics })
  const requests = createRequests({ clock, logger, penalise: score.penalise })
  const discovery = createDiscovery({ clock, logger, datastore, isGraylisted: score.isGraylisted }, { network: options.network, bootstrap: options.bootstrap ?? [], targetPeers: options.targetPeers ?? DEFAULT_TARGET_PEERS })
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
    connect: async (address, { signal }) => {
      const libp2p = running()
      const { multiaddr } = await import('@multiformats/multiaddr')
      let target
      try {
        target = multiaddr(address)
      } catch (error) {
        throw new MeshError('MESH_ADDRESS', `${address} is not a multiaddr`, { data: { address }, hint: 'Write it like /ip4/192.0.2.1/tcp/4001/p2p/12D3Koo...', cause: error })
      }
      try {
        return (await libp2p.dial(target, { signal })).remotePeer.toString()
      } catch (error) {
        throw new MeshError('MESH_UNREACHABLE', `cannot reach ${address}: ${errorMessage(error)}`, { data: { address }, cause: error })
      }
    },
    onPeer: (listener) => {
      listeners.add(listener)
      return () => { listeners.delete(listener) }
    },
    start: async () => {
      if (host !== undefined) return
      const started = await startHost({ datastore, clock, logger, gater: score.gater, appScore: score.appScore }, options)
      host = started
      const { libp2p } = started
      libp2p.addEventListener('peer:connect', onConnect)
      libp2p.addEventListener('peer:disconnect', onDisconnect)
      await requests.attach(libp2p)
      topics.attach(started.gossip)
      score.start({
        connected: () => {
          const ids = libp2p.getPeers().map(String)
          ids.forEach(started.mendGossip)
          return ids
        },
        score: started.score,
        cut
      })
      await discovery.start(libp2p)
      logger.info('listening', { peerId: libp2p.peerId.toString(), addresses: libp2p.getMultiaddrs().map(String) })
    },
    stop: async () => {
      if (host === undefined) return
      const { libp2p, stop } = host
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
