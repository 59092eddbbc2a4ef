import type { Connection, StreamMuxer } from '@libp2p/interface'
import t from 'tap'
import type { FrameStream } from '../../src/mesh/requests.ts'
import { soon, startPair } from './nodes.ts'

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

const PROTOCOL = '/lily/logs/1.0.0'
const LIMITS = { maxBytes: 1000, maxFrameBytes: 100_000, perPeerPerSecond: 100, concurrency: 10, timeoutMs: 5000 }
const WINDOW_UPDATE = 1

/** Counts the window updates that a node sends on streams opened from now on; the most on one stream. */
function countUpdates (libp2p: { getConnections: () => Connection[] }): () => number {
  const counts = new Map<number, number>([[0, 0]])
  for (const connection of libp2p.getConnections()) {
    const { muxer } = connection as unknown as { muxer: { sendFrame: (header: { type: number, streamID: number }, body?: unknown) => boolean } }
    const sendFrame = muxer.sendFrame.bind(muxer)
    muxer.sendFrame = (header, body) => {
      if (header.type === WINDOW_UPDATE) counts.set(header.streamID, (counts.get(header.streamID) ?? 0) + 1)
      return sendFrame(header, body)
    }
  }
  return () => Math.max(...counts.values())
}

t.test('small messages are not each answered with a window update', async (t) => {
  const [a, b] = await startPair(t)
  const updates = [countUpdates(a.libp2p), countUpdates(b.libp2p)]
  a.requests.serveStream(PROTOCOL, LIMITS, async (stream) => { for await (const frame of stream) await stream.send(frame) })
  const stream = await b.requests.openStream(a.peerId, PROTOCOL, { signal: soon(), maxFrameBytes: 100_000 })
  const reader = stream[Symbol.asyncIterator]()
  for (let sent = 0; sent < 500; sent++) {
    await stream.send(new Uint8Array(200))
    t.equal((await reader.next()).value?.byteLength, 200)
  }
  // Opening says something; 500 messages of 200 bytes are less than half of a window.
  for (const count of updates) t.ok(count() < 10, `${count()} window updates`)
})

t.test('many windows pass both ways at once, past readers who are slow', async (t) => {
  const [a, b] = await startPair(t)
  const updates = [countUpdates(a.libp2p), countUpdates(b.libp2p)]
  const FRAMES = 80
  const send = async (stream: FrameStream): Promise<void> => { for (let n = 0; n < FRAMES; n++) await stream.send(new Uint8Array(100_000).fill(n)) }
  const receive = async (stream: FrameStream): Promise<number> => {
    let received = 0
    for await (const frame of stream) {
      t.ok(frame[0] === received && frame.byteLength === 100_000, `frame ${received}`)
      // Longer than it takes to arrive, so that the queue fills and the stream is paused.
      for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => { setImmediate(resolve) })
      if (++received === FRAMES) break
    }
    return received
  }
  a.requests.serveStream(PROTOCOL, LIMITS, async (stream) => { await Promise.all([send(stream), receive(stream)]) })
  const stream = await b.requests.openStream(a.peerId, PROTOCOL, { signal: soon(), maxFrameBytes: 100_000 })
  const [received] = await Promise.all([receive(stream), send(stream)])
  t.equal(received, FRAMES)
  for (const count of updates) t.ok(count() >= 4, `${count()} window updates for 8 MB`)
})
