import { MeshError } from './errors.ts'

/** Kinds of frames (protocol/requests.md): payload of the protocol, or an error that ends the exchange. */
export const FRAME_DATA = 0
export const FRAME_ERROR = 1
/** Sent first by who opened a framed stream: it reads now. Before that libp2p would buffer without flow control, and reset. */
export const FRAME_OPEN = 2

/** u32 length of what follows, then the kind. */
export const HEADER_BYTES = 5
/** An error frame may be this long even where the protocol's own frames are shorter. */
export const MAX_ERROR_BYTES = 2048

export interface Frame { kind: number, payload: Uint8Array }

/** Makes frames of bytes that come in any pieces. */
export interface FrameParser {
  /**
   * Takes bytes up to the end of the frame under way; returns how many, and the frame if it is complete. Throws MeshError
   * MESH_PROTOCOL, MESH_FRAME_TOO_LARGE, and what `onHeader` throws: by the header alone, before there is memory for the payload.
   */
  take: (chunk: Uint8Array) => { taken: number, frame?: Frame }
  /** Whether a frame has begun and is not complete. */
  readonly isInside: boolean
  /** Lets go of the frame under way. */
  clear: () => void
}

/** @param options.onHeader - told the payload's length of each frame that begins. */
export function createFrameParser (options: { maxFrameBytes: number, onHeader?: (payloadBytes: number) => void }): FrameParser {
  // Copied into memory of our own: a chunk is a view of what the connection decrypted, 64 KB for a byte of this stream.
  let buffer = new Uint8Array(HEADER_BYTES)
  let filled = 0
  let wantBytes = HEADER_BYTES

  const begin = (): void => {
    buffer = new Uint8Array(HEADER_BYTES)
    filled = 0
    wantBytes = HEADER_BYTES
  }
  const readHeader = (): void => {
    const view = new DataView(buffer.buffer)
    const length = view.getUint32(0)
    const kind = view.getUint8(4)
    const limit = kind === FRAME_ERROR ? MAX_ERROR_BYTES : options.maxFrameBytes
    if (length < 1 || kind > FRAME_OPEN) throw new MeshError('MESH_PROTOCOL', `not a frame: length ${length}, kind ${kind}`)
    if (length - 1 > limit) throw new MeshError('MESH_FRAME_TOO_LARGE', `frame of ${length - 1} bytes, limit ${limit}`, { data: { bytes: length - 1, limit } })
    options.onHeader?.(length - 1)
    wantBytes = HEADER_BYTES - 1 + length
  }
  const complete = (): Frame => {
    // Nothing else stands in this memory, and none of it is left over where the frame came in one piece.
    const payload = buffer.byteLength === filled ? buffer.subarray(HEADER_BYTES) : buffer.slice(HEADER_BYTES, filled)
    const frame = { kind: buffer[HEADER_BYTES - 1] as number, payload }
    begin()
    return frame
  }
  /** Takes what is still wanted; memory grows with what has come, not with what was announced. */
  const fill = (chunk: Uint8Array): number => {
    const part = chunk.subarray(0, wantBytes - filled)
    if (filled + part.byteLength > buffer.byteLength) {
      const grown = new Uint8Array(Math.min(wantBytes, Math.max(filled + part.byteLength, 2 * buffer.byteLength)))
      grown.set(buffer.subarray(0, filled))
      buffer = grown
    }
    buffer.set(part, filled)
    filled += part.byteLength
    return part.byteLength
  }
  return {
    take: (chunk) => {
      let taken = 0
      if (filled < HEADER_BYTES) {
        taken = fill(chunk)
        if (filled < HEADER_BYTES) return { taken }
        readHeader()
      }
      taken += fill(chunk.subarray(taken))
      return filled === wantBytes ? { taken, frame: complete() } : { taken }
    },
    get isInside () { return filled > 0 },
    clear: begin
  }
}
