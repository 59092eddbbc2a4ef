import type { Stream } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { MeshError } from './errors.ts'

/** Kinds of frames (protocol/requests.md): payload of the protocol, or an error that ends the exchange. */
export const FRAME_DATA = 0
export const FRAME_ERROR = 1
/** Sent first by who opened a framed stream: it reads now. Before that libp2p would buffer without flow control, and reset. */
export const FRAME_OPEN = 2

/** u32 length of what follows, then the kind. */
const HEADER_BYTES = 5
/** Frames that wait for a slow reader: above, the sender is held back by flow control. */
const HIGH_WATER_BYTES = 16 * 1024
/** What a frame that waits costs beside its payload, which may be empty: else frames of five bytes pile up without bound. */
const FRAME_COST_BYTES = 256
/** An error frame may be this long even where the protocol's own frames are shorter. */
export const MAX_ERROR_BYTES = 2048

export interface Frame { kind: number, payload: Uint8Array }

/** Frames over one libp2p stream, with back-pressure both ways. */
export interface FrameChannel {
  /** The next frame, undefined after a clean end. MeshError MESH_FRAME_TOO_LARGE, MESH_PROTOCOL, MESH_UNREACHABLE. */
  read: () => Promise<Frame | undefined>
  /** Resolves when the stream takes more; `payload` is not copied, so it must not change any more. MeshError MESH_UNREACHABLE when the stream is gone. */
  write: (kind: number, payload: Uint8Array) => Promise<void>
  /** Says that nothing more will be written. */
  end: () => Promise<void>
  abort: (error: Error) => void
  /** Resolves when the stream is closed in both directions or broken. */
  readonly closed: Promise<void>
}

/** Takes over the reading of `stream`. `onActivity` is called for every frame either way. */
export function createFrameChannel (stream: Stream, options: { maxFrameBytes: number, onActivity?: () => void }): FrameChannel {
  const frames: Frame[] = []
  let queuedBytes = 0
  // Copied into memory of our own: a chunk is a view of what the connection decrypted, 64 KB for a byte of this stream.
  let buffer = new Uint8Array(HEADER_BYTES)
  let filled = 0
  let wantBytes = HEADER_BYTES
  /** What came when the queue was full already, not parsed yet. */
  let rest: Uint8Array[] = []
  let isParsing = false
  let remoteEnded = stream.remoteWriteStatus !== 'writable' && stream.status === 'open'
  let failure: Error | undefined
  let ended = false
  let ending = false
  let resuming = false
  let waiting: { resolve: (frame: Frame | undefined) => void, reject: (error: Error) => void } | undefined

  const hold = (): void => {
    if (queuedBytes > HIGH_WATER_BYTES && stream.readStatus === 'readable' && !resuming) stream.pause()
  }
  // `resume` first hands out what is buffered, then tells yamux to go on: a pause in between would be lost on yamux, the
  // buffer would overflow and the stream be reset.
  const resume = (): void => {
    resuming = true
    stream.resume()
    resuming = false
    hold()
  }
  const settle = (): void => {
    if (waiting === undefined) return
    const { resolve, reject } = waiting
    const frame = frames.shift()
    if (frame !== undefined) {
      queuedBytes -= FRAME_COST_BYTES + frame.payload.byteLength
      waiting = undefined
      if (queuedBytes <= HIGH_WATER_BYTES / 2) goOn()
      resolve(frame)
    } else if (failure !== undefined) {
      waiting = undefined
      reject(failure)
    } else if (ended) {
      waiting = undefined
      resolve(undefined)
    }
  }
  const fail = (error: Error): void => {
    failure ??= error
    buffer = new Uint8Array(0)
    rest = []
    settle()
  }
  const finish = (): void => {
    if (rest.length > 0) { ending = true; return }
    if (filled > 0) fail(new MeshError('MESH_PROTOCOL', 'the stream ended inside a frame'))
    ended = true
    settle()
  }
  /** Refuses by the header alone, before there is memory for the payload. */
  const readHeader = (): void => {
    const view = new DataView(buffer.buffer)
    const length = view.getUint32(0)
    const kind = view.getUint8(4)
    const limit = kind === FRAME_ERROR ? MAX_ERROR_BYTES : options.maxFrameBytes
    if (length < 1 || kind > FRAME_OPEN) fail(new MeshError('MESH_PROTOCOL', `not a frame: length ${length}, kind ${kind}`))
    else if (length - 1 > limit) fail(new MeshError('MESH_FRAME_TOO_LARGE', `frame of ${length - 1} bytes, limit ${limit}`, { data: { bytes: length - 1, limit } }))
    else wantBytes = HEADER_BYTES - 1 + length
  }
  const complete = (): void => {
    // Nothing else stands in this memory, and none of it is left over where the frame came in one piece.
    const payload = buffer.byteLength === filled ? buffer.subarray(HEADER_BYTES) : buffer.slice(HEADER_BYTES, filled)
    const frame = { kind: buffer[HEADER_BYTES - 1] as number, payload }
    frames.push(frame)
    queuedBytes += FRAME_COST_BYTES + frame.payload.byteLength
    buffer = new Uint8Array(HEADER_BYTES)
    filled = 0
    wantBytes = HEADER_BYTES
    options.onActivity?.()
    settle()
  }
  /** Takes what the frame under way still wants; returns how much that was. Memory grows with what has come, not with what was announced. */
  const fill = (chunk: Uint8Array): number => {
    const part = chunk.subarray(0, wantBytes - filled)
    if (filled + part.byteLength > buffer.byteLength) {
      const grown = new Uint8Array(Math.min(wantBytes, Math.max(filled + part.byteLength, 2 * buffer.byteLength)))
      grown.set(buffer.subarray(0, filled))
      buffer = grown
    }
    buffer.set(part, filled)
    filled += part.byteLength
    if (filled === HEADER_BYTES && wantBytes === HEADER_BYTES) readHeader()
    if (failure === undefined && filled === wantBytes) complete()
    return part.byteLength
  }
  const parse = (): void => {
    isParsing = true
    for (let chunk = rest.shift(); chunk !== undefined; chunk = rest.shift()) {
      let at = 0
      while (failure === undefined && at < chunk.byteLength && queuedBytes <= HIGH_WATER_BYTES) at += fill(chunk.subarray(at))
      if (failure !== undefined) break
      if (at < chunk.byteLength) {
        rest.unshift(chunk.slice(at))
        break
      }
    }
    isParsing = false
    hold()
  }
  /** The queue has room again. */
  const goOn = (): void => {
    if (isParsing) return
    if (rest.length > 0) parse()
    if (rest.length > 0) return
    if (ending) finish()
    else if (stream.readStatus === 'paused') resume()
  }
  const closed = new Promise<void>((resolve) => {
    stream.addEventListener('close', (event) => {
      if (event.error !== undefined && event.error !== null) fail(new MeshError('MESH_UNREACHABLE', `the stream was closed: ${event.error.message}`, { cause: event.error }))
      // A lost connection closes the stream without an error; only a remote end makes it a clean one.
      else if (!remoteEnded) fail(new MeshError('MESH_UNREACHABLE', 'the connection was closed'))
      else if (stream.readBufferLength === 0) finish()
      resolve()
    }, { once: true })
  })
  stream.addEventListener('remoteCloseWrite', () => { remoteEnded = true })
  stream.addEventListener('end', () => { if (remoteEnded) finish() })
  stream.addEventListener('message', (event) => {
    if (failure !== undefined) return
    const chunk = event.data.subarray()
    // libp2p hands out what it had buffered whatever we hold.
    if (rest.length > 0) { rest.push(Uint8Array.from(chunk)); return }
    rest.push(chunk)
    parse()
  })
  if (stream.status === 'aborted' || stream.status === 'reset') fail(new MeshError('MESH_UNREACHABLE', 'the stream was reset'))
  else if (stream.readableEnded || stream.status === 'closed') finish()

  return {
    closed,
    read: async () => await new Promise<Frame | undefined>((resolve, reject) => {
      waiting = { resolve, reject }
      settle()
    }),
    write: async (kind, payload) => {
      const header = new DataView(new ArrayBuffer(HEADER_BYTES))
      header.setUint32(0, payload.byteLength + 1)
      header.setUint8(4, kind)
      options.onActivity?.()
      try {
        if (!stream.send(new Uint8ArrayList(new Uint8Array(header.buffer), payload))) await drained(stream)
      } catch (error) {
        throw failure ?? new MeshError('MESH_UNREACHABLE', 'the stream is closed', { cause: error })
      }
    },
    end: async () => { await stream.close().catch((error: Error) => { stream.abort(error) }) },
    abort: (error) => { stream.abort(error) }
  }
}

/** libp2p's own `onDrain` resolves at once from the second time on, so it would let the write buffer grow without bound. */
async function drained (stream: Stream): Promise<void> {
  if (!stream.writableNeedsDrain) return
  await new Promise<void>((resolve, reject) => {
    const settle = (event: Event & { error?: Error }): void => {
      stream.removeEventListener('drain', settle)
      stream.removeEventListener('close', settle)
      if (event.type === 'drain') resolve()
      else reject(event.error ?? new Error('stream closed'))
    }
    stream.addEventListener('drain', settle)
    stream.addEventListener('close', settle)
  })
}
