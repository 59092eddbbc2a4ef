import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { CodedError, errorMessage } from '../core/errors.ts'
import { createDeadline, orAbort } from './deadline.ts'
import { errorToBytes } from './error-frame.ts'
import { MeshError } from './errors.ts'
import { createFrameChannel, FRAME_ERROR, type FrameChannel, type FrameChannelOptions } from './frames.ts'
import { createLocalChannels } from './local-channels.ts'
import { MAX_STREAMS_PER_PROTOCOL, PENALTY_MALFORMED, PENALTY_RATE } from './options.ts'
import { createRateLimit } from './rate.ts'

/**
 * One protocol's limits. For framed streams `timeoutMs` is the longest pause without a frame either way, for requests the whole
 * exchange. `perPeer` of the `concurrency` places are for one peer at most (default: half of them), since a request that is opened
 * and not sent holds its place until time is out.
 */
export interface RequestLimits { maxBytes: number, perPeerPerSecond: number, concurrency: number, perPeer?: number, timeoutMs: number }

/** Who asks, and when to give up: time is out, the other side is gone, or the mesh stops. */
export interface RequestContext { peer: string, signal: AbortSignal }

/** What a protocol does with a stream. `idle`: `timeoutMs` counts from the last frame. `unread`: what may come before it is read; else flow control holds it back. */
export interface Protocol {
  limits: RequestLimits
  maxFrameBytes: number
  unread?: { maxBytes: number, maxFrames?: number }
  idle: boolean
  answer: (channel: FrameChannel, context: RequestContext) => Promise<void>
}

/** The serving side: limits, time and errors of every protocol. */
export interface Serving {
  register: (protocol: string, entry: Protocol) => () => void
  /** The near end of a stream to our own handler, undefined when nobody serves the protocol. */
  openLocal: (protocol: string) => FrameChannel | undefined
  attach: (libp2p: Libp2p) => Promise<void>
  detach: () => Promise<void>
}

/** After an error was sent, the other side has this long to read it before the stream is broken off. */
const LINGER_MS = 1000
/** What only a faulty or hostile asker causes. */
const MALFORMED: ReadonlySet<string> = new Set(['MESH_REQUEST_TOO_LARGE', 'MESH_FRAME_TOO_LARGE', 'MESH_PROTOCOL'])

export function createServing (components: { clock: Clock, logger: Logger, penalise: (peer: string, points: number, reason: string) => void }): Serving {
  const { clock, logger, penalise } = components
  interface Served extends Protocol { active: number, byPeer: Map<string, number>, rate: { take: (peer: string) => boolean } }
  const served = new Map<string, Served>()
  const running = new Set<Promise<void>>()
  let libp2p: Libp2p | undefined
  let stopping = new AbortController()

  const refuse = async (channel: FrameChannel, error: unknown): Promise<void> => {
    const late = clock.after(LINGER_MS, () => { channel.abort(new Error('refused')) })
    try {
      await channel.write(FRAME_ERROR, errorToBytes(error))
      await channel.end()
      if (!stopping.signal.aborted) await channel.closed
    } finally {
      late()
    }
  }
  const admit = (protocol: string, entry: Served, peer: string): void => {
    const { concurrency, perPeer = Math.ceil(concurrency / 2) } = entry.limits
    const isOther = peer !== libp2p?.peerId.toString()
    if (isOther && !entry.rate.take(peer)) {
      penalise(peer, PENALTY_RATE, `too many requests to ${protocol}`)
      throw new MeshError('MESH_RATE_LIMITED', 'too many requests')
    }
    if (entry.active >= concurrency || (isOther && (entry.byPeer.get(peer) ?? 0) >= perPeer)) throw new MeshError('MESH_BUSY', 'too many requests at once')
  }
  const count = (entry: Served, peer: string, change: 1 | -1): void => {
    entry.active += change
    const left = (entry.byPeer.get(peer) ?? 0) + change
    if (left > 0) entry.byPeer.set(peer, left)
    else entry.byPeer.delete(peer)
  }
  const run = async (protocol: string, entry: Served, peer: string, open: (options: FrameChannelOptions) => FrameChannel): Promise<void> => {
    const gone = new AbortController()
    const deadline = createDeadline(clock, entry.limits.timeoutMs, [stopping.signal, gone.signal])
    const channel = open({
      maxFrameBytes: entry.maxFrameBytes,
      ...(entry.idle ? { onActivity: deadline.touch } : {}),
      ...(entry.unread === undefined ? {} : { unread: { ...entry.unread, onAbove: (error) => { gone.abort(error) } } })
    })
    void channel.closed.then(() => { gone.abort(new MeshError('MESH_UNREACHABLE', 'the other side is gone')) })
    let admitted = false
    try {
      admit(protocol, entry, peer)
      admitted = true
      count(entry, peer, 1)
      await orAbort(entry.answer(channel, { peer, signal: deadline.signal }), deadline.signal)
      await orAbort(channel.end(), deadline.signal)
    } catch (error) {
      if (!(error instanceof CodedError)) logger.warn('request failed', { protocol, peer, error: errorMessage(error) })
      if (error instanceof CodedError && MALFORMED.has(error.code) && error.data['remote'] !== true) penalise(peer, PENALTY_MALFORMED, `${error.code} on ${protocol}`)
      await refuse(channel, error).catch((failure: unknown) => { logger.debug('refusal not delivered', { protocol, peer, error: errorMessage(failure) }) })
    } finally {
      if (admitted) count(entry, peer, -1)
      deadline.clear()
    }
  }
  const track = (work: Promise<void>): void => {
    running.add(work)
    void work.finally(() => { running.delete(work) })
  }
  const handle = async (protocol: string, entry: Served): Promise<void> => {
    await libp2p?.handle(protocol, (stream: Stream, connection: Connection) => {
      track(run(protocol, entry, connection.remotePeer.toString(), (options) => createFrameChannel(stream, options)))
    }, { maxInboundStreams: MAX_STREAMS_PER_PROTOCOL, maxOutboundStreams: MAX_STREAMS_PER_PROTOCOL, runOnLimitedConnection: true })
  }
  return {
    register: (protocol, definition) => {
      if (served.has(protocol)) throw new MeshError('MESH_PROTOCOL_TAKEN', `protocol ${protocol} is already served`, { data: { protocol } })
      const entry: Served = { ...definition, active: 0, byPeer: new Map(), rate: createRateLimit(clock, definition.limits.perPeerPerSecond) }
      served.set(protocol, entry)
      track(handle(protocol, entry).catch((error: unknown) => { logger.error('protocol not registered', { protocol, error: errorMessage(error) }) }))
      return () => {
        if (served.get(protocol) !== entry) return
        served.delete(protocol)
        track(libp2p?.unhandle(protocol).catch((error: unknown) => { logger.debug('protocol not removed', { protocol, error: errorMessage(error) }) }) ?? Promise.resolve())
      }
    },
    openLocal: (protocol) => {
      const entry = served.get(protocol)
      if (entry === undefined || libp2p === undefined) return undefined
      const [near, far] = createLocalChannels()
      track(run(protocol, entry, libp2p.peerId.toString(), () => far))
      return near
    },
    attach: async (started) => {
      stopping = new AbortController()
      libp2p = started
      for (const [protocol, entry] of served) await handle(protocol, entry)
    },
    detach: async () => {
      stopping.abort(new MeshError('MESH_STOPPED', 'the mesh stops'))
      await Promise.all(running)
      libp2p = undefined
    }
  }
}
