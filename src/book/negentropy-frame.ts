import { BookError } from './errors.ts'
import { encodeVarint, ID_BYTES, type Bound } from './negentropy-items.ts'

/** First byte of a frame: version 1. A side that cannot read a frame's version answers with this byte alone. */
export const VERSION = 0x61
export const MODE = { skip: 0, fingerprint: 1, ids: 2 } as const
/** Larger than any encoded varint of a safe integer. */
const MAX_VARINT_BYTES = 8

/** Reads a frame from front to back. Everything throws BookError BOOK_RECONCILE on a malformed frame. */
export interface FrameReader {
  readonly done: boolean
  byte: () => number
  take: (length: number) => Uint8Array
  varint: () => number
  /** Bounds carry the distance from the last one. */
  bound: () => Bound
}

export function createFrameReader (frame: Uint8Array): FrameReader {
  let at = 0
  let lastTimestamp = 0
  const take = (length: number): Uint8Array => {
    if (length > frame.length - at) throw malformed('the frame ends early')
    at += length
    return frame.subarray(at - length, at)
  }
  const byte = (): number => take(1)[0] as number
  const varint = (): number => {
    let value = 0
    for (let digits = 1; ; digits++) {
      const digit = byte()
      value = value * 128 + (digit & 127)
      if (digits > MAX_VARINT_BYTES || value > Number.MAX_SAFE_INTEGER) throw malformed('a number is too large')
      if (digit < 128) return value
    }
  }
  return {
    get done () { return at >= frame.length },
    byte,
    take,
    varint,
    bound: () => {
      const offset = varint()
      const timestamp = offset === 0 ? Infinity : lastTimestamp + offset - 1
      if (offset !== 0) lastTimestamp = timestamp
      const length = varint()
      if (length > ID_BYTES) throw malformed('an id prefix is too long')
      return { timestamp, id: take(length) }
    }
  }
}

/** Writes a frame; `mark` and `rewind` drop what did not fit. */
export interface FrameWriter {
  readonly length: number
  bytes: (bytes: Uint8Array) => void
  varint: (value: number) => void
  bound: (bound: Bound) => void
  mark: () => { length: number, lastTimestamp: number }
  rewind: (mark: { length: number, lastTimestamp: number }) => void
  finish: () => Uint8Array
}

export function createFrameWriter (): FrameWriter {
  let buffer = new Uint8Array(1024)
  let length = 0
  let lastTimestamp = 0
  const bytes = (added: Uint8Array): void => {
    if (length + added.length > buffer.length) {
      const grown = new Uint8Array(Math.max(buffer.length * 2, length + added.length))
      grown.set(buffer)
      buffer = grown
    }
    buffer.set(added, length)
    length += added.length
  }
  const varint = (value: number): void => { bytes(encodeVarint(value)) }
  return {
    get length () { return length },
    bytes,
    varint,
    bound: ({ timestamp, id }) => {
      varint(timestamp === Infinity ? 0 : timestamp - lastTimestamp + 1)
      if (timestamp !== Infinity) lastTimestamp = timestamp
      varint(id.length)
      bytes(id)
    },
    mark: () => ({ length, lastTimestamp }),
    rewind: (mark) => { ({ length, lastTimestamp } = mark) },
    finish: () => buffer.slice(0, length)
  }
}

/** The other side does not speak the protocol. */
export function malformed (reason: string): BookError {
  return new BookError('BOOK_RECONCILE', `reconciliation frame: ${reason}`)
}
