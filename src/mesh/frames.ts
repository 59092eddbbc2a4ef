import type { Stream } from '@libp2p/interface'
import { MeshError } from './errors.ts'
import { createFrameParser, type Frame } from './frame-parser.ts'
import { writeFrame } from './frame-writer.ts'

export { FRAME_DATA, FRAME_ERROR, FRAME_OPEN, type Frame } from './frame-parser.ts'

/** Frames that wait for a slow reader: above, the sender is held back by flow control. */
const HIGH_WATER_BYTES = 16 * 1024
/** What a frame that waits costs beside its payload, which may be empty: else frames of five bytes pile up without bound. */
export const FRAME_COST_BYTES = 256

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

export interface FrameChannelOptions {
  maxFrameBytes: number
  /** Called for every frame either way. */
  onActivity?: () => void
  /** What the other side may send before we read it. Without it, it is held back by flow control. */
  unread?: Unread
}

/**
 * Of a protocol in which the asker waits for answers. `maxBytes` of frames may lie unread, the one under way included, each with
 * FRAME_COST_BYTES; `maxFrames` may come in all. Above it everything is let go, reading fails and `onAbove` is called.
 */
export interface Unread { maxBytes: number, maxFrames?: number, onAbove: (error: MeshError) => void }

/** Takes over the reading of `stream`. */
export function createFrameChannel (stream: Stream, options: FrameChannelOptions): FrameChannel {
  const { unread } = options
  const frames: Frame[] = []
  let queuedBytes = 0
  let begun = 0
  /** What came when the queue was full already, not parsed yet. */
  let rest: Uint8Array[] = []
  let isParsing = false
  let remoteEnded = stream.remoteWriteStatus !== 'writable' && stream.status === 'open'
  let failure: Error | undefined
  let ended = false
  let ending = false
  let resuming = false
  let waiting: { resolve: (frame: Frame | undefined) => void, reject: (error: Error) => void } | undefined

  const isFull = (): boolean => unread === undefined && queuedBytes > HIGH_WATER_BYTES
  const hold = (): void => {
    if (isFull() && stream.readStatus === 'readable' && !resuming) stream.pause()
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
    parser.clear()
    rest = []
    settle()
  }
  const finish = (): void => {
    if (rest.length > 0) { ending = true; return }
    if (parser.isInside) fail(new MeshError('MESH_PROTOCOL', 'the stream ended inside a frame'))
    ended = true
    settle()
  }
  const overflow = (why: string): MeshError => {
    const error = new MeshError('MESH_PROTOCOL', why)
    frames.length = 0
    queuedBytes = 0
    unread?.onAbove(error)
    return error
  }
  const onHeader = (payloadBytes: number): void => {
    if (unread === undefined) return
    begun++
    const { maxBytes, maxFrames = Infinity } = unread
    const bytes = queuedBytes + FRAME_COST_BYTES + payloadBytes
    if (begun > maxFrames) throw overflow(`more than ${maxFrames} frame(s)`)
    if (bytes > maxBytes) throw overflow(`${bytes} bytes of frames unread, limit ${maxBytes}`)
  }
  const parser = createFrameParser({ maxFrameBytes: options.maxFrameBytes, onHeader })
  const add = (frame: Frame): void => {
    frames.push(frame)
    queuedBytes += FRAME_COST_BYTES + frame.payload.byteLength
    options.onActivity?.()
    settle()
  }
  const parse = (): void => {
    isParsing = true
    for (let chunk = rest.shift(); chunk !== undefined; chunk = rest.shift()) {
      let at = 0
      try {
        while (at < chunk.byteLength && !isFull()) {
          const { taken, frame } = parser.take(chunk.subarray(at))
          at += taken
          if (frame !== undefined) add(frame)
        }
      } catch (error) {
        fail(error as MeshError)
        break
      }
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
      options.onActivity?.()
      try {
        await writeFrame(stream, kind, payload)
      } catch (error) {
        throw failure ?? new MeshError('MESH_UNREACHABLE', 'the stream is closed', { cause: error })
      }
    },
    end: async () => { await stream.close().catch((error: Error) => { stream.abort(error) }) },
    abort: (error) => { stream.abort(error) }
  }
}
