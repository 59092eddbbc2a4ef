import type { Stream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'
import { yamux, type YamuxMuxerInit } from '@libp2p/yamux'
import { skipUnheard } from './unheard.ts'

/** What is used of yamux 8.0.3 beyond its public type. Every stream of either side comes from `_newStream`. */
interface Internals { _newStream: (...given: unknown[]) => Windowed }
/** `state`: below. The receive window, and how much of it the other side may still fill. */
type Windowed = Stream & { state: number, recvWindow: number, recvWindowCapacity: number, sendWindowUpdate: () => void }

/** States in which the next frame must carry a flag: SYN of our own stream, ACK of the other side's. */
const INIT = 0
const SYN_RECEIVED = 2

/**
 * libp2p's yamux with two changes. A new stream fails alone: it announces itself in a microtask, and where its connection was
 * closed in between, that throws where nobody can catch it and ends the process. And a window update goes when half of the
 * window is used up, as hashicorp's yamux sends it, not for every message: under gossip that was a fifth of a node's CPU time.
 */
export function steadyYamux (options: YamuxMuxerInit): () => StreamMuxerFactory {
  const create = yamux(options)
  return () => {
    const factory = create()
    const createStreamMuxer = factory.createStreamMuxer.bind(factory)
    return Object.assign(factory, { createStreamMuxer: (connection: Parameters<typeof createStreamMuxer>[0]) => steady(createStreamMuxer(connection)) })
  }
}

function steady (muxer: StreamMuxer): StreamMuxer {
  const internals = muxer as unknown as Internals
  const newStream = internals._newStream.bind(muxer)
  internals._newStream = (...given) => {
    const stream = newStream(...given)
    skipUnheard(stream)
    const { sendWindowUpdate } = stream
    stream.sendWindowUpdate = () => {
      if (!isUpdateDue(stream)) return
      try {
        sendWindowUpdate.call(stream)
      } catch (error) {
        stream.abort(error as Error)
      }
    }
    return stream
  }
  return muxer
}

/** The other side can send half a window more when it is not, so it is never left waiting. */
function isUpdateDue ({ state, recvWindow, recvWindowCapacity }: Windowed): boolean {
  return state === INIT || state === SYN_RECEIVED || recvWindow - recvWindowCapacity >= recvWindow / 2
}
