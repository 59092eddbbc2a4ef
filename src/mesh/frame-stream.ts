import { bytesToError } from './error-frame.ts'
import { MeshError, RequestError } from './errors.ts'
import { FRAME_DATA, FRAME_ERROR, type FrameChannel } from './frames.ts'

/** Frames both ways. Iterating ends when the other side closed; it throws RequestError when that side failed or is gone. */
export interface FrameStream extends AsyncIterable<Uint8Array> {
  /** Resolves when the stream takes more; a slow reader slows the sender down. */
  send: (frame: Uint8Array) => Promise<void>
  /** Ends our direction; the other side can still send. */
  close: () => Promise<void>
  /** Breaks off in both directions. */
  abort: (error: Error) => void
}

/**
 * Leaving the iteration early breaks the stream off, so that nothing piles up. So does a failure, except where `serving`:
 * there the error is still to be sent.
 */
export function channelToStream (channel: FrameChannel, options: { maxFrameBytes: number, serving: boolean }): FrameStream {
  async function * read (): AsyncGenerator<Uint8Array> {
    let done = false
    try {
      for (;;) {
        const frame = await channel.read()
        if (frame === undefined) { done = true; return }
        if (frame.kind === FRAME_ERROR) throw bytesToError(frame.payload)
        if (frame.kind !== FRAME_DATA) throw new MeshError('MESH_PROTOCOL', 'a frame of an unexpected kind')
        yield frame.payload
      }
    } catch (error) {
      done = options.serving
      throw error instanceof RequestError ? error : toRequestError(error)
    } finally {
      if (!done) channel.abort(new MeshError('MESH_ABORTED', 'the reader left'))
    }
  }
  return {
    [Symbol.asyncIterator]: read,
    send: async (frame) => {
      if (frame.byteLength > options.maxFrameBytes) throw new MeshError('MESH_FRAME_TOO_LARGE', `frame of ${frame.byteLength} bytes, limit ${options.maxFrameBytes}`, { data: { bytes: frame.byteLength } })
      await channel.write(FRAME_DATA, frame)
    },
    close: channel.end,
    abort: channel.abort
  }
}

/** A failure of the exchange itself, as the caller of a request sees it. */
export function toRequestError (error: unknown): RequestError {
  if (error instanceof RequestError) return error
  if (error instanceof MeshError) return new RequestError(error.code, error.message, { data: { ...error.data }, hint: error.hint, cause: error })
  return new RequestError('MESH_UNREACHABLE', error instanceof Error ? error.message : String(error), { cause: error })
}
