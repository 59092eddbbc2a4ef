import { errorCode, errorMessage } from '../../src/core/errors.ts'
import type { Random } from '../../src/core/random.ts'
import { errorToBytes } from '../../src/mesh/error-frame.ts'
import { RequestError } from '../../src/mesh/errors.ts'
import { channelToStream, type FrameStream } from '../../src/mesh/frame-stream.ts'
import { FRAME_ERROR } from '../../src/mesh/frames.ts'
import { createLocalChannels } from '../../src/mesh/local-channels.ts'
import type { Mesh, PeerEvent, PeerSummary } from '../../src/mesh/mesh.ts'
import type { Subscription } from '../../src/mesh/topics.ts'

export type MemoryMesh = Pick<Mesh, 'peerId' | 'topics' | 'requests' | 'peers' | 'onPeer'>
type Handler = (payload: Uint8Array, context: { peer: string, signal: AbortSignal }) => Promise<Uint8Array>

type StreamHandler = (stream: FrameStream, context: { peer: string, signal: AbortSignal }) => Promise<void>

/** Percentages of gossip deliveries that are lost or come twice. Order is always random. */
export interface Weather { dropPercent: number, duplicatePercent: number }

/** Answers, of requests or frames of a stream, as a test may spoil them: return other bytes, throw, or never resolve. */
export type Tamper = (peer: string, protocol: string, answer: Uint8Array) => Uint8Array | Promise<Uint8Array>

/** Nodes in one process: gossip that floods like gossipsub, delivered in random order; requests as function calls, streams as local channels. */
export interface MemoryNetwork {
  weather: Weather
  node: (peerId: string) => MemoryMesh & { tamper: Tamper | undefined }
  connect: (from: string, to: string) => void
  disconnect: (a: string, b: string) => void
  /** Resolves when no gossip is under way. */
  idle: () => Promise<void>
  readonly verdicts: Array<{ at: string, from: string, verdict: string }>
}

interface Node { mesh: MemoryMesh & { tamper: Tamper | undefined }, peers: Map<string, PeerSummary>, subscriptions: Map<string, Subscription>, handlers: Map<string, Handler>, streams: Map<string, StreamHandler>, seen: Set<string>, listeners: Set<(event: PeerEvent) => void> }

export function createMemoryNetwork (random: Random): MemoryNetwork {
  const nodes = new Map<string, Node>()
  const weather: Weather = { dropPercent: 0, duplicatePercent: 0 }
  const queue: Array<() => Promise<void>> = []
  const verdicts: MemoryNetwork['verdicts'] = []
  let busy = 0
  let isPumping = false

  const keyOf = (topic: string, data: Uint8Array): string => `${topic}:${Buffer.from(data).toString('latin1')}`
  const get = (peerId: string): Node => {
    const node = nodes.get(peerId)
    if (node === undefined) throw new Error(`no node ${peerId}`)
    return node
  }
  const pump = (): void => {
    if (isPumping) return
    isPumping = true
    setImmediate(() => {
      isPumping = false
      const next = queue.splice(random.below(Math.max(1, queue.length)), 1)[0]
      if (next === undefined) return
      busy++
      void next().finally(() => { busy-- })
      pump()
    })
  }
  const flood = (topic: string, data: Uint8Array, from: string): void => {
    for (const peerId of get(from).peers.keys()) {
      const copies = random.below(100) < weather.dropPercent ? 0 : random.below(100) < weather.duplicatePercent ? 2 : 1
      for (let copy = 0; copy < copies; copy++) queue.push(async () => { await deliver(topic, Uint8Array.from(data), from, peerId) })
    }
    pump()
  }
  const deliver = async (topic: string, data: Uint8Array, from: string, to: string): Promise<void> => {
    const node = get(to)
    const subscription = node.subscriptions.get(topic)
    const key = keyOf(topic, data)
    if (subscription === undefined || node.seen.has(key) || data.byteLength > subscription.maxBytes) return
    node.seen.add(key)
    const verdict = await subscription.validate(data, from)
    verdicts.push({ at: to, from, verdict })
    if (verdict === 'accept') flood(topic, data, to)
  }
  const request = async (from: string, to: string, protocol: string, payload: Uint8Array, options: { signal: AbortSignal, maxBytes: number }): Promise<Uint8Array> => {
    options.signal.throwIfAborted()
    const handler = nodes.get(to)?.handlers.get(protocol)
    if (!get(from).peers.has(to) || handler === undefined) throw new RequestError('MESH_UNREACHABLE', `cannot reach ${to}`)
    await new Promise((resolve) => { setImmediate(resolve) })
    const answer = await handler(Uint8Array.from(payload), { peer: from, signal: options.signal }).catch((error: unknown) => {
      throw new RequestError(errorCode(error), errorMessage(error), { data: { remote: true }, cause: error })
    })
    const spoilt = await (get(to).mesh.tamper?.(from, protocol, answer) ?? answer)
    if (spoilt.byteLength > options.maxBytes) throw new RequestError('MESH_RESPONSE_TOO_LARGE', 'too large')
    return spoilt
  }
  const openStream = async (from: string, to: string, protocol: string, { signal, maxFrameBytes }: { signal: AbortSignal, maxFrameBytes: number }): Promise<FrameStream> => {
    signal.throwIfAborted()
    const handler = nodes.get(to)?.streams.get(protocol)
    if (!get(from).peers.has(to) || handler === undefined) throw new RequestError('MESH_UNREACHABLE', `cannot reach ${to}`)
    const [near, far] = createLocalChannels()
    signal.addEventListener('abort', () => { near.abort(new Error('aborted')) }, { once: true })
    const served = channelToStream(far, { maxFrameBytes, serving: true })
    const send = async (frame: Uint8Array): Promise<void> => { await served.send(await (get(to).mesh.tamper?.(from, protocol, frame) ?? frame)) }
    void handler({ ...served, send }, { peer: from, signal })
      .catch(async (error: unknown) => { await far.write(FRAME_ERROR, errorToBytes(error)) })
      .then(far.end)
      .catch(() => undefined)
    return channelToStream(near, { maxFrameBytes, serving: false })
  }
  const unused = (): never => { throw new Error('not part of the memory mesh') }
  return {
    weather,
    verdicts,
    node: (peerId) => {
      const node: Node = {
        peers: new Map(), subscriptions: new Map(), handlers: new Map(), streams: new Map(), seen: new Set(), listeners: new Set(),
        mesh: {
          peerId,
          tamper: undefined,
          peers: () => [...node.peers.values()],
          onPeer: (listener) => { node.listeners.add(listener); return () => { node.listeners.delete(listener) } },
          topics: {
            publish: async (topic, data) => { node.seen.add(keyOf(topic, data)); flood(topic, data, peerId) },
            hasRoom: () => true,
            readers: unused,
            subscribe: (topic, subscription) => { node.subscriptions.set(topic, subscription); return () => { node.subscriptions.delete(topic) } }
          },
          requests: {
            request: async (to, protocol, payload, options) => await request(peerId, to, protocol, payload, options),
            serve: (protocol, _limits, handler) => { node.handlers.set(protocol, handler); return () => { node.handlers.delete(protocol) } },
            openStream: async (to, protocol, options) => await openStream(peerId, to, protocol, options),
            serveStream: (protocol, _limits, handler) => { node.streams.set(protocol, handler); return () => { node.streams.delete(protocol) } }
          }
        }
      }
      nodes.set(peerId, node)
      return node.mesh
    },
    connect: (from, to) => {
      const summary = (peerId: string, direction: PeerSummary['direction']): PeerSummary => ({ peerId, address: '/memory', direction, score: 0, connectedAtMs: 0 })
      get(from).peers.set(to, summary(to, 'outbound'))
      get(to).peers.set(from, summary(from, 'inbound'))
      for (const [node, peerId] of [[get(from), to], [get(to), from]] as const) for (const listener of node.listeners) listener({ peerId, type: 'connect' })
    },
    disconnect: (a, b) => {
      for (const [node, peerId] of [[get(a), b], [get(b), a]] as const) {
        node.peers.delete(peerId)
        for (const listener of node.listeners) listener({ peerId, type: 'disconnect' })
      }
    },
    idle: async () => {
      while (queue.length > 0 || busy > 0) await new Promise((resolve) => { setImmediate(resolve) })
    }
  }
}
