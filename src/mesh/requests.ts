import type { Libp2p } from '@libp2p/interface'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { errorMessage } from '../core/errors.ts'
import { bytesToError } from './error-frame.ts'
import { MeshError, RequestError } from './errors.ts'
import { channelToStream, toRequestError, type FrameStream } from './frame-stream.ts'
import { createFrameChannel, FRAME_COST_BYTES, FRAME_DATA, FRAME_ERROR, FRAME_OPEN, type FrameChannel } from './frames.ts'
import { MAX_STREAMS_PER_PROTOCOL } from './options.ts'
import { createServing, type RequestContext, type RequestLimits } from './serving.ts'

export type { RequestContext, RequestLimits } from './serving.ts'

/** One-shot requests and framed streams over libp2p streams (protocol/requests.md). */
export interface Requests {
  /**
   * Asks `peer` (a peer id; our own is answered without a socket). Rejects with RequestError: the remote handler's code with
   * `data.remote`, or MESH_UNREACHABLE, MESH_TIMEOUT (the signal fired), MESH_RESPONSE_TOO_LARGE, MESH_PROTOCOL.
   */
  request: (peer: string, protocol: string, payload: Uint8Array, options: { signal: AbortSignal, maxBytes: number }) => Promise<Uint8Array>
  /** Answers a protocol until the returned function is called; also before the mesh starts. MeshError MESH_PROTOCOL_TAKEN. */
  serve: (protocol: string, limits: RequestLimits, handler: (payload: Uint8Array, context: RequestContext) => Promise<Uint8Array>) => () => void
  /** Opens a framed stream; `signal` breaks it off for as long as it lives. */
  openStream: (peer: string, protocol: string, options: { signal: AbortSignal, maxFrameBytes: number }) => Promise<FrameStream>
  /**
   * Serves framed streams; the stream ends when the handler returns. `maxUnreadBytes`: more than this may not lie unread (each frame
   * with FRAME_COST_BYTES), as where the asker waits for answers; the stream is refused (MESH_PROTOCOL). Without it, a slow handler holds the sender back.
   */
  serveStream: (protocol: string, limits: RequestLimits & { maxFrameBytes: number, maxUnreadBytes?: number }, handler: (stream: FrameStream, context: RequestContext) => Promise<void>) => () => void
}

export function createRequests (components: { clock: Clock, logger: Logger, penalise: (peer: string, points: number, reason: string) => void }): Requests & { attach: (libp2p: Libp2p) => Promise<void>, detach: () => Promise<void> } {
  const { logger } = components
  const serving = createServing(components)
  let libp2p: Libp2p | undefined

  const dial = async (peer: string, protocol: string, maxFrameBytes: number, signal: AbortSignal): Promise<FrameChannel> => {
    if (libp2p === undefined) throw new MeshError('MESH_STOPPED', 'the mesh is not running')
    if (peer === libp2p.peerId.toString()) {
      const channel = serving.openLocal(protocol)
      if (channel === undefined) throw new MeshError('MESH_PROTOCOL', `this node does not serve ${protocol}`)
      return channel
    }
    const { peerIdFromString } = await import('@libp2p/peer-id')
    try {
      const stream = await libp2p.dialProtocol(peerIdFromString(peer), protocol, { signal, maxOutboundStreams: MAX_STREAMS_PER_PROTOCOL, runOnLimitedConnection: true })
      return createFrameChannel(stream, { maxFrameBytes })
    } catch (error) {
      if (error instanceof Error && error.name === 'UnsupportedProtocolError') throw new MeshError('MESH_PROTOCOL', `${peer} does not serve ${protocol}`, { data: { peer, protocol }, cause: error })
      throw new MeshError('MESH_UNREACHABLE', `cannot reach ${peer}: ${errorMessage(error)}`, { data: { peer }, cause: error })
    }
  }
  /** A channel that `signal` breaks off at any stage. */
  const open = async (peer: string, protocol: string, maxFrameBytes: number, signal: AbortSignal): Promise<FrameChannel> => {
    if (signal.aborted) throw timedOut(signal)
    const channel = await dial(peer, protocol, maxFrameBytes, signal)
    const onAbort = (): void => { channel.abort(timedOut(signal)) }
    signal.addEventListener('abort', onAbort, { once: true })
    void channel.closed.then(() => { signal.removeEventListener('abort', onAbort) })
    if (signal.aborted) onAbort()
    return channel
  }
  const ask = async (channel: FrameChannel, payload: Uint8Array, maxBytes: number): Promise<Uint8Array> => {
    // The answer may come before all is written, when it is a refusal.
    channel.write(FRAME_DATA, payload).then(channel.end).catch((error: unknown) => { logger.debug('request not fully written', { error: errorMessage(error) }) })
    const frame = await channel.read()
    if (frame === undefined) throw new MeshError('MESH_UNREACHABLE', 'closed without an answer')
    if (frame.kind === FRAME_ERROR) throw bytesToError(frame.payload)
    if (frame.kind !== FRAME_DATA) throw new MeshError('MESH_PROTOCOL', 'not an answer')
    if (frame.payload.byteLength > maxBytes) throw new MeshError('MESH_FRAME_TOO_LARGE', `answer of ${frame.payload.byteLength} bytes, limit ${maxBytes}`)
    return frame.payload
  }
  return {
    request: async (peer, protocol, payload, { signal, maxBytes }) => {
      let channel: FrameChannel | undefined
      try {
        channel = await open(peer, protocol, maxBytes, signal)
        return await ask(channel, payload, maxBytes)
      } catch (error) {
        channel?.abort(error instanceof Error ? error : new Error('failed'))
        if (signal.aborted) throw timedOut(signal)
        if (error instanceof MeshError && error.code === 'MESH_FRAME_TOO_LARGE') throw new RequestError('MESH_RESPONSE_TOO_LARGE', error.message, { data: { ...error.data }, cause: error })
        throw toRequestError(error)
      }
    },
    serve: (protocol, limits, handler) => serving.register(protocol, {
      limits,
      maxFrameBytes: limits.maxBytes,
      unread: { maxBytes: limits.maxBytes + FRAME_COST_BYTES, maxFrames: 1 },
      idle: false,
      answer: async (channel, context) => {
        const frame = await channel.read().catch((error: unknown) => {
          throw error instanceof MeshError && error.code === 'MESH_FRAME_TOO_LARGE' ? new MeshError('MESH_REQUEST_TOO_LARGE', error.message, { cause: error }) : error
        })
        if (frame?.kind !== FRAME_DATA) throw new MeshError('MESH_PROTOCOL', 'no request in the stream')
        if (frame.payload.byteLength > limits.maxBytes) throw new MeshError('MESH_REQUEST_TOO_LARGE', `request of ${frame.payload.byteLength} bytes, limit ${limits.maxBytes}`)
        await channel.write(FRAME_DATA, await handler(frame.payload, context))
      }
    }),
    openStream: async (peer, protocol, { signal, maxFrameBytes }) => {
      try {
        const channel = await open(peer, protocol, maxFrameBytes, signal)
        await channel.write(FRAME_OPEN, new Uint8Array())
        return channelToStream(channel, { maxFrameBytes, serving: false })
      } catch (error) {
        throw signal.aborted ? timedOut(signal) : toRequestError(error)
      }
    },
    serveStream: (protocol, limits, handler) => serving.register(protocol, {
      limits,
      maxFrameBytes: limits.maxFrameBytes,
      ...(limits.maxUnreadBytes === undefined ? {} : { unread: { maxBytes: limits.maxUnreadBytes } }),
      idle: true,
      answer: async (channel, context) => {
        if ((await channel.read())?.kind !== FRAME_OPEN) throw new MeshError('MESH_PROTOCOL', 'the stream was not opened')
        await handler(channelToStream(channel, { maxFrameBytes: limits.maxFrameBytes, serving: true }), context)
      }
    }),
    attach: async (started) => {
      libp2p = started
      await serving.attach(started)
    },
    detach: async () => {
      await serving.detach()
      libp2p = undefined
    }
  }
}

function timedOut (signal: AbortSignal): RequestError {
  return new RequestError('MESH_TIMEOUT', `no answer in time: ${errorMessage(signal.reason)}`, { cause: signal.reason })
}
export type { FrameStream } from './frame-stream.ts'
