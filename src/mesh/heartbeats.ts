import { randomBytes } from 'node:crypto'
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import type { Clock } from '../core/clock.ts'
import { errorMessage } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { Random } from '../core/random.ts'
import { MeshError } from './errors.ts'
import { PING_INTERVAL_MS, PING_PROTOCOL, PING_TIMEOUT_MS } from './options.ts'

/** Ends connections that do not answer. */
export interface Heartbeats { start: (libp2p: Libp2p) => void, stop: () => void }

/** Bytes of a ping (libp2p's ping specification). */
const PING_BYTES = 32
/** The one before may not be closed on both sides yet. */
const MAX_STREAMS = 4

/**
 * Pings each connection from a drawn moment on, in place of libp2p's connection monitor, which pings all of a node's at once: nodes
 * that had started together took half a second of the machine with twenty peers each, every thirty seconds.
 */
export function createHeartbeats (components: { clock: Clock, random: Random, logger: Logger }, { intervalMs, timeoutMs }: { intervalMs: number, timeoutMs: number } = { intervalMs: PING_INTERVAL_MS, timeoutMs: PING_TIMEOUT_MS }): Heartbeats {
  const { clock, random, logger } = components
  const timers = new Map<Connection, () => void>()
  let node: Libp2p | undefined
  let stopping = new AbortController()

  const beat = async (connection: Connection): Promise<void> => {
    const limit = new AbortController()
    const cancel = clock.after(timeoutMs, () => { limit.abort(new MeshError('MESH_UNREACHABLE', 'no answer to a ping')) })
    const startMs = clock.now()
    try {
      await ping(connection, AbortSignal.any([limit.signal, stopping.signal]))
      connection.rtt = clock.now() - startMs
    } finally {
      cancel()
    }
  }
  const schedule = (connection: Connection, delayMs: number): void => {
    timers.set(connection, clock.after(delayMs, () => {
      beat(connection).then(() => { if (timers.has(connection)) schedule(connection, intervalMs) }, (error: unknown) => {
        timers.delete(connection)
        if (stopping.signal.aborted) return
        logger.debug('connection is dead', { peer: connection.remotePeer.toString(), error: errorMessage(error) })
        connection.abort(error as Error)
      })
    }))
  }
  /** One that has just opened has shown that it lives. */
  const begin = (connection: Connection): void => { schedule(connection, intervalMs / 2 + random.below(intervalMs)) }
  const onOpen = ({ detail }: CustomEvent<Connection>): void => { begin(detail) }
  const onClose = ({ detail }: CustomEvent<Connection>): void => {
    timers.get(detail)?.()
    timers.delete(detail)
  }
  return {
    start: (libp2p) => {
      node = libp2p
      stopping = new AbortController()
      node.addEventListener('connection:open', onOpen)
      node.addEventListener('connection:close', onClose)
      node.getConnections().forEach(begin)
    },
    stop: () => {
      node?.removeEventListener('connection:open', onOpen)
      node?.removeEventListener('connection:close', onClose)
      stopping.abort(new MeshError('MESH_STOPPED', 'the mesh stops'))
      for (const cancel of timers.values()) cancel()
      timers.clear()
    }
  }
}

/** Resolves when the other side has sent the same number of bytes back, or knows no ping, which is an answer too. */
async function ping (connection: Connection, signal: AbortSignal): Promise<void> {
  let stream: Stream | undefined
  try {
    stream = await connection.newStream(PING_PROTOCOL, { signal, runOnLimitedConnection: true, maxOutboundStreams: MAX_STREAMS })
    await echo(stream, signal)
    await stream.close({ signal })
  } catch (error) {
    stream?.abort(error as Error)
    if ((error as Error).name !== 'UnsupportedProtocolError') throw error
  }
}

async function echo (stream: Stream, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const answered = Promise.withResolvers<undefined>()
  // It may be told of the end after sending has failed, when nobody waits any more.
  answered.promise.catch(() => undefined)
  let missing = PING_BYTES
  stream.addEventListener('message', ({ data }) => {
    missing -= data.byteLength
    if (missing <= 0) answered.resolve(undefined)
  })
  stream.addEventListener('close', () => { answered.reject(new MeshError('MESH_UNREACHABLE', 'the ping was broken off')) })
  signal.addEventListener('abort', () => { answered.reject(signal.reason) }, { once: true })
  stream.send(randomBytes(PING_BYTES))
  await answered.promise
}
