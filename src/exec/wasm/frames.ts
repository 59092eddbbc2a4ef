/**
 * Frames between the node and a job's process (protocol/execution.md): kind (1 byte), length of the payload
 * (4 bytes, little-endian), payload. Each side refuses what it does not expect.
 */
export const FRAME = {
  /** To the child. JSON: everything of the job but its bytes. */
  job: 1,
  /** Bytes: of the module and the inputs towards the child, of outputs from it. */
  bytes: 2,
  /** From the child. Empty: its code is loaded. */
  ready: 16,
  stdout: 17,
  stderr: 18,
  /** JSON: path and size of an output, whose bytes follow. */
  file: 19,
  /** JSON: how the run ended. The last frame. */
  done: 20
} as const

export interface Frame { readonly kind: number, readonly payload: Uint8Array }

const HEADER_BYTES = 5
/** Longest payload: a job frame carries arguments, environment and the list of inputs. */
export const MAX_FRAME_BYTES = 4 * 1024 * 1024
/** How bytes are cut. */
export const BYTES_PER_FRAME = 256 * 1024

/** A payload longer than MAX_FRAME_BYTES, or a stream that goes on after it should not. */
export class FrameFault extends Error {}

/** The header of a frame. */
export function frameHeader (kind: number, length: number): Uint8Array {
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt8(kind, 0)
  header.writeUInt32LE(length, 1)
  return header
}

/** Cuts long bytes into windows of one frame each; nothing for no bytes. */
export function * toFrameParts (bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += BYTES_PER_FRAME) yield bytes.subarray(start, start + BYTES_PER_FRAME)
}

/** Takes a stream apart. `push` yields each whole frame; the payload is a window of the received bytes. Throws FrameFault. */
export function createFrameDecoder (): { push: (chunk: Uint8Array) => Generator<Frame> } {
  let pending: Buffer[] = []
  let pendingBytes = 0
  let needed = HEADER_BYTES
  return {
    push: function * (chunk) {
      pending.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
      pendingBytes += chunk.length
      if (pendingBytes < needed) return
      let rest = Buffer.concat(pending)
      for (;;) {
        needed = HEADER_BYTES
        if (rest.length < needed) break
        const length = rest.readUInt32LE(1)
        if (length > MAX_FRAME_BYTES) throw new FrameFault(`a frame of ${length} bytes; at most ${MAX_FRAME_BYTES} are allowed`)
        needed = HEADER_BYTES + length
        if (rest.length < needed) break
        yield { kind: rest[0] ?? 0, payload: rest.subarray(HEADER_BYTES, needed) }
        rest = rest.subarray(needed)
      }
      pending = [rest]
      pendingBytes = rest.length
    }
  }
}
