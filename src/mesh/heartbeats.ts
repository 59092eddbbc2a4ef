import type { Connection, Libp2p } from '@libp2p/interface'
import type { Clock } from '../core/clock.ts'
import { errorMessage } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { Random } from '../core/random.ts'
import { MeshError } from './errors.ts'
import { PING_INTERVAL_MS, PING_TIMEOUT_MS } from './options.ts'

/** Ends connections that do not answer. */
export interface Heartbeats { start: (libp2p: Libp2p) => void, stop: () => void }

/** What libp2p's public type leaves out of a connection: its muxer, which is yamux always. */
interface Muxed { muxer: { onData: (data: unknown) => void, ping: (options: { signal: AbortSignal }) => Promise<number> } }

/** One connection: when it last said anything, and its next look. */
interface Heard { atMs: number, cancel: () => void }

/**
 * Looks at each connection once an interval, from a drawn moment on, and pings it by a frame of yamux where it has said nothing for half
 * of one. libp2p's connection monitor pings all of a node's connections at once, by a stream each: that takes milliseconds on both sides.
 */
export function createHeartbeats (components: { clock: Clock, random: Random, logger: Logger }, { intervalMs, timeoutMs }: { intervalMs: number, timeoutMs: number } = { intervalMs: PING_INTERVAL_MS, timeoutMs: PING_TIMEOUT_MS }): Heartbeats {
  const { clock, random, logger } = components
  const connections = new Map<Connection, Heard>()
  let node: Libp2p | undefined
  let stopping = new AbortController()

  const ping = async (connection: Connection): Promise<void> => {
    const limit = new AbortController()
    const cancel = clock.after(timeoutMs, () => { limit.abort(new MeshError('MESH_UNREACHABLE', 'no answer to a ping')) })
    try {
      connection.rtt = await (connection as unknown as Muxed).muxer.ping({ signal: AbortSignal.any([limit.signal, stopping.signal]) })
    } finally {
      cancel()
    }
  }
  const look = async (connection: Connection, heard: Heard): Promise<void> => {
    if (clock.now() - heard.atMs >= intervalMs / 2) await ping(connection)
    if (connections.has(connection)) schedule(connection, heard, intervalMs)
  }
  const schedule = (connection: Connection, heard: Heard, delayMs: number): void => {
    heard.cancel = clock.after(delayMs, () => {
      look(connection, heard).catch((error: unknown) => {
        connections.delete(connection)
        if (stopping.signal.aborted) return
        logger.debug('connection is dead', { peer: connection.remotePeer.toString(), error: errorMessage(error) })
        connection.abort(error as Error)
      })
    })
  }
  /** One that has just opened has shown that it lives. */
  const begin = (connection: Connection): void => {
    const heard: Heard = { atMs: clock.now(), cancel: () => undefined }
    const { muxer } = connection as unknown as Muxed
    const onData = muxer.onData.bind(muxer)
    muxer.onData = (data) => {
      heard.atMs = clock.now()
      onData(data)
    }
    connections.set(connection, heard)
    schedule(connection, heard, intervalMs / 2 + random.below(intervalMs))
  }
  const onOpen = ({ detail }: CustomEvent<Connection>): void => { begin(detail) }
  const onClose = ({ detail }: CustomEvent<Connection>): void => {
    connections.get(detail)?.cancel()
    connections.delete(detail)
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
      for (const { cancel } of connections.values()) cancel()
      connections.clear()
    }
  }
}
