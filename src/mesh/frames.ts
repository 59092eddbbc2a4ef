import type { Stream } from '@libp2p/interface'
import { MeshError } from './errors.ts'

/** Kinds of frames (protocol/requests.md): payload of the protocol, or an error that ends the exchange. */
export const FRAME_DATA = 0
export const FRAME_ERROR = 1
/** Sent first by who opened a framed stream: it reads now. Before that libp2p would buffer without flow control, and reset. */
export const FRAME_OPEN = 2

/** u32 length of what follows, then the kind. */
const HEADER_BYTES = 5
/** Frames that wait for a slow reader: above, the sender is held back by flow control. */
const HIGH_WATER_BYTES = 256 * 1024
/** An error frame may be this long even where the protocol's own frames are shorter. */
export const MAX_ERROR_BYTES = 2048

export interface Frame { kind: number, payload: Uint8Array }

/** Frames over one libp2p stream, with back-pressure both ways. */
export interface FrameChannel {
  /** The next frame, undefined after a clean end. MeshError MESH_FRAME_TOO_LARGE, MESH_PROTOCOL, MESH_UNREACHABLE. */
  read: () => Promise<Frame | undefined>
  /** Resolves when the stream takes more. MeshError MESH_UNREACHABLE when it is gone. */
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
  let chunks: Uint8Array[] = []
  let chunkBytes = 0
  let wantBytes = HEADER_BYTES
  let remoteEnded = stream.remoteWriteStatus !== 'writable' && stream.status === 'open'
  let failure: Error | undefined
  let ended = false
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
      queuedBytes -= frame.payload.byteLength
      waiting = undefined
      if (queuedBytes <= HIGH_WATER_BYTES / 2 && stream.readStatus === 'paused') resume()
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
    chunks = []
    settle()
  }
  const finish = (): void => {
    if (chunkBytes > 0) fail(new MeshError('MESH_PROTOCOL', 'the stream ended inside a frame'))
    ended = true
    settle()
  }
  const take = (bytes: number): Uint8Array => {
    const all = chunks.length === 1 ? chunks[0] as Uint8Array : concat(chunks, chunkBytes)
    chunkBytes = all.byteLength - bytes
    chunks = chunkBytes === 0 ? [] : [all.subarray(bytes)]
    return all.subarray(0, bytes)
  }
  const parse = (): void => {
    while (failure === undefined && chunkBytes >= wantBytes) {
      if (wantBytes === HEADER_BYTES) {
        const head = chunks.length === 1 ? chunks[0] as Uint8Array : concat(chunks, chunkBytes)
        chunks = [head]
        const view = new DataView(head.buffer, head.byteOffset)
        const length = view.getUint32(0)
        const kind = view.getUint8(4)
        const limit = kind === FRAME_ERROR ? MAX_ERROR_BYTES : options.maxFrameBytes
        if (length < 1 || kind > FRAME_OPEN) { fail(new MeshError('MESH_PROTOCOL', `not a frame: length ${length}, kind ${kind}`)); return }
        if (length - 1 > limit) { fail(new MeshError('MESH_FRAME_TOO_LARGE', `frame of ${length - 1} bytes, limit ${limit}`, { data: { bytes: length - 1, limit } })); return }
        wantBytes = HEADER_BYTES - 1 + length
        if (chunkBytes < wantBytes) return
      }
      const bytes = take(wantBytes)
      frames.push({ kind: bytes[4] as number, payload: bytes.slice(HEADER_BYTES) })
      queuedBytes += wantBytes - HEADER_BYTES
      wantBytes = HEADER_BYTES
      options.onActivity?.()
      settle()
    }
    hold()
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
    chunks.push(chunk)
    chunkBytes += chunk.byteLength
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
      const bytes = new Uint8Array(HEADER_BYTES + payload.byteLength)
      const view = new DataView(bytes.buffer)
      view.setUint32(0, payload.byteLength + 1)
      view.setUint8(4, kind)
      bytes.set(payload, HEADER_BYTES)
      options.onActivity?.()
      try {
        if (!stream.send(bytes)) await drained(stream)
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

function concat (chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  const all = new Uint8Array(bytes)
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.byteLength
  }
  return all
}
