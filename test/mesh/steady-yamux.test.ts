import type { Connection, StreamMuxer } from '@libp2p/interface'
import t from 'tap'
import { startPair } from './nodes.ts'

t.test('a stream that is opened as its connection ends fails alone', async (t) => {
  const [, b] = await startPair(t)
  const [connection] = b.libp2p.getConnections() as [Connection]
  const { muxer } = connection as unknown as { muxer: StreamMuxer & { maConn: { writeStatus: string } } }
  let uncaught: unknown
  const note = (error: unknown): void => { uncaught = error }
  process.once('uncaughtException', note)
  t.teardown(() => { process.off('uncaughtException', note) })
  // As a connection that ended, between the making of a stream and its first word, which waits for a microtask.
  queueMicrotask(() => { muxer.maConn.writeStatus = 'closed' })
  const stream = await muxer.createStream()
  await new Promise((resolve) => { setImmediate(resolve) })
  t.equal(uncaught, undefined)
  t.not(stream.status, 'open')
})
