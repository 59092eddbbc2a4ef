import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Stream } from '@libp2p/interface'
import { createFrameChannel, FRAME_DATA, type FrameChannel } from '../src/mesh/frames.ts'

/** What a connection hands over at most at once: yamux frames of many streams in one decrypted message of noise. */
const SLAB_BYTES = 65_519
const HEADER_BYTES = 5

/** One way to make us hold bytes: what arrives, chunk by chunk, until the channel pauses the stream. */
export interface HostileStream { name: string, chunks: (maxFrameBytes: number) => Iterable<Uint8Array> }

/** A byte of this stream in a message full of others': whoever keeps the view keeps the message. */
function slice (byte: number): Uint8Array {
  const slab = new Uint8Array(SLAB_BYTES)
  slab[0] = byte
  return slab.subarray(0, 1)
}

function header (payloadBytes: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES)
  new DataView(bytes.buffer).setUint32(0, payloadBytes + 1)
  bytes[4] = FRAME_DATA
  return bytes
}

export const REFUSED: readonly HostileStream[] = [
  { name: 'a frame above the limit', chunks: (limit) => [header(limit + 1), new Uint8Array(SLAB_BYTES)] },
  { name: 'a frame of no known kind', chunks: () => [Uint8Array.of(0, 0, 0, 9, 77), new Uint8Array(SLAB_BYTES)] }
]

export const STALLED: readonly HostileStream[] = [
  { name: 'single bytes', chunks: function * () { for (const byte of header(50_000)) yield slice(byte); for (let sent = 0; sent < 2000; sent++) yield slice(1) } },
  { name: 'empty frames that nobody reads', chunks: function * () { for (;;) yield new Uint8Array(SLAB_BYTES - SLAB_BYTES % HEADER_BYTES).map((_, at) => header(0)[at % HEADER_BYTES] as number) } },
  { name: 'a frame but for its last byte', chunks: function * (limit) { yield header(limit); for (let at = 0; at < limit - 1; at += SLAB_BYTES) yield new Uint8Array(Math.min(SLAB_BYTES, limit - 1 - at)) } }
]

const MAX_CHUNKS = 5_000

/** As much of a libp2p stream as a frame channel touches. */
class FakeStream extends EventTarget {
  status = 'open'
  remoteWriteStatus = 'writable'
  readStatus = 'readable'
  readBufferLength = 0
  readableEnded = false
  pause (): void { this.readStatus = 'paused' }
  resume (): void { this.readStatus = 'readable' }
  abort (): void { this.status = 'aborted' }
  async close (): Promise<void> { this.status = 'closed' }
}

/** Feeds a channel until it pauses or the chunks end. */
export function feed (chunks: Iterable<Uint8Array>, maxFrameBytes: number): FrameChannel {
  const stream = new FakeStream()
  const channel = createFrameChannel(stream as unknown as Stream, { maxFrameBytes })
  let sent = 0
  for (const chunk of chunks) {
    if (stream.readStatus === 'paused' || sent++ >= MAX_CHUNKS) break
    stream.dispatchEvent(Object.assign(new Event('message'), { data: chunk }))
  }
  return channel
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes that this process holds, after garbage is gone. */
export function heldBytes (): number {
  collect()
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Bytes that one hostile stream makes us hold, the mean of several at once. */
export function heldBy (hostile: HostileStream, maxFrameBytes: number, peers = 8): number {
  feed(hostile.chunks(maxFrameBytes), maxFrameBytes)
  const before = heldBytes()
  const channels = Array.from({ length: peers }, () => feed(hostile.chunks(maxFrameBytes), maxFrameBytes))
  const held = (heldBytes() - before) / peers
  return channels.length === peers ? held : Number.NaN
}
