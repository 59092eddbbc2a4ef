import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import type { Logger } from '../core/logger.ts'
import { errorMessage } from '../core/errors.ts'

export const BITSWAP = '/ipfs/bitswap/1.2.0'

type StreamHandler = (stream: Stream, connection: Connection) => void | Promise<void>

/** libp2p's registry of protocol handlers, which is not in its public type. */
interface Internals { components: { registrar: { getHandler: (protocol: string) => { handler: StreamHandler } } } }

/**
 * Answers for bitswap until the real one is loaded: a restarted node with content on disk must serve it, and should not
 * pay for Helia before somebody asks. The first stream calls `load`, which is to replace this handler, and is then
 * handed on; what was sent meanwhile waits in the stream. Resolves to a function that takes the handler away.
 */
export async function serveBitswapLazily (components: { libp2p: Libp2p, logger: Logger }, load: () => Promise<unknown>): Promise<() => Promise<void>> {
  const { libp2p, logger } = components
  await libp2p.handle(BITSWAP, async (stream: Stream, connection: Connection) => {
    try {
      await load()
      await (libp2p as unknown as Internals).components.registrar.getHandler(BITSWAP).handler(stream, connection)
    } catch (error) {
      logger.error('bitswap not loaded', { error: errorMessage(error) })
      stream.abort(error instanceof Error ? error : new Error('bitswap not loaded'))
    }
  }, { maxInboundStreams: 1024, runOnLimitedConnection: true })
  let removed = false
  return async () => {
    if (removed) return
    removed = true
    await libp2p.unhandle(BITSWAP)
  }
}
