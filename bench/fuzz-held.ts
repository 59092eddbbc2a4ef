import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { FRAME_COST_BYTES, type FrameChannel } from '../src/mesh/frames.ts'
import { channelOver, FakeStream, frameHeader } from '../test/support/fake-stream.ts'

/** What a connection hands over at most at once: yamux frames of many streams in one decrypted message of noise. */
const SLAB_BYTES = 65_519
const HEADER_BYTES = 5

/** One way to make us hold bytes: what arrives, chunk by chunk, until the channel refuses the stream. */
export interface HostileStream { name: string, chunks: (maxFrameBytes: number, maxUnreadBytes: number) => Iterable<Uint8Array> }
/** What the answering side of a protocol takes before it reads. */
export interface Served { maxFrameBytes: number, maxBytes: number, maxFrames: number }

/** A byte of this stream in a message full of others': whoever keeps the view keeps the message. */
function slice (byte: number): Uint8Array {
  const slab = new Uint8Array(SLAB_BYTES)
  slab[0] = byte
  return slab.subarray(0, 1)
}

/** A chunk full of empty frames. */
const EMPTY_FRAMES = new Uint8Array(SLAB_BYTES - SLAB_BYTES % HEADER_BYTES).map((_, at) => frameHeader(0)[at % HEADER_BYTES] as number)

/** Chunks that end in a refusal. */
export const REFUSED: readonly HostileStream[] = [
  { name: 'a frame above the limit', chunks: (limit) => [frameHeader(limit + 1), new Uint8Array(SLAB_BYTES)] },
  { name: 'a frame of no known kind', chunks: () => [Uint8Array.of(0, 0, 0, 9, 77), new Uint8Array(SLAB_BYTES)] }
]

/** Chunks after which the rest does not come, while nobody reads. */
export const STALLED: readonly HostileStream[] = [
  { name: 'single bytes', chunks: function * () { for (const byte of frameHeader(50_000)) yield slice(byte); for (let sent = 0; sent < 2000; sent++) yield slice(1) } },
  { name: 'empty frames without end', chunks: function * () { for (;;) yield EMPTY_FRAMES.slice() } },
  { name: 'as many empty frames as may lie unread', chunks: function * (_, unread) { yield EMPTY_FRAMES.slice(0, HEADER_BYTES * Math.floor(unread / FRAME_COST_BYTES)) } },
  { name: 'a frame but for its last byte', chunks: unfinished },
  { name: 'the last byte of a frame and a message full of others behind it', chunks: function * (limit) { yield * unfinished(limit); yield Buffer.concat([Uint8Array.of(0), EMPTY_FRAMES]) } }
]

function * unfinished (payloadBytes: number): Iterable<Uint8Array> {
  yield frameHeader(payloadBytes)
  for (let at = 0; at < payloadBytes - 1; at += SLAB_BYTES) yield new Uint8Array(Math.min(SLAB_BYTES, payloadBytes - 1 - at))
}

/** More than any chunks above; ends a stream that is never paused. */
const MAX_CHUNKS = 2_100

/** Feeds a channel until it refuses or the chunks end. */
function feed (hostile: HostileStream, { maxFrameBytes, maxBytes, maxFrames }: Served): FrameChannel {
  const stream = new FakeStream()
  let isRefused = false
  const channel = channelOver(stream, maxFrameBytes, { maxBytes, maxFrames, onAbove: () => { isRefused = true } })
  let sent = 0
  for (const chunk of hostile.chunks(maxFrameBytes, maxBytes)) {
    stream.arrive(chunk)
    if (isRefused || ++sent >= MAX_CHUNKS) break
  }
  return channel
}

const LOOKS = 10

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes that this process holds. Garbage goes in the background: the least of several looks. */
export async function heldBytes (): Promise<number> {
  let least = Infinity
  for (let look = 0; look < LOOKS; look++) {
    collect()
    const { heapUsed, external } = process.memoryUsage()
    least = Math.min(least, heapUsed + external)
    await new Promise((resolve) => { setImmediate(resolve) })
  }
  return least
}

/** Bytes that one hostile stream makes us hold, the mean of several at once. */
export async function heldBy (hostile: HostileStream, served: Served, peers = 8): Promise<number> {
  feed(hostile, served)
  const before = await heldBytes()
  const channels = Array.from({ length: peers }, () => feed(hostile, served))
  const held = await heldBytes() - before
  // Named once more, or they would be garbage before they are measured.
  return held / channels.length
}
