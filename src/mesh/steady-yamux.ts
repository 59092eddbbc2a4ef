import type { Stream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'
import { yamux, type YamuxMuxerInit } from '@libp2p/yamux'

/** What is used of yamux beyond its public type. */
interface Internals { onCreateStream: (options: unknown) => Promise<Stream> | Stream }
type Opening = Stream & { sendWindowUpdate: () => void }

/**
 * libp2p's yamux, whose new streams fail alone. In 8.0.3 a stream announces itself in a microtask; where its connection was
 * closed in between, that throws where nobody can catch it and ends the process.
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
  const onCreateStream = internals.onCreateStream.bind(muxer)
  internals.onCreateStream = (options) => {
    const stream = onCreateStream(options) as Opening
    const { sendWindowUpdate } = stream
    stream.sendWindowUpdate = () => {
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
