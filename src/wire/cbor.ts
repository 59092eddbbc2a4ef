import { decode, encode, rfc8949EncodeOptions } from 'cborg'
import { equals } from 'uint8arrays/equals'
import { errorMessage } from '../core/errors.ts'
import { decodeFast, MAX_DEPTH, UNKNOWN } from './cbor-fast.ts'
import { WireError } from './errors.ts'


/**
 * Deterministic CBOR (RFC 8949 section 4.2.1): sorted keys, shortest integers, no `undefined`, no floats for integers.
 * The bytes are a plain Uint8Array that owns its memory: cborg's are often a Buffer on a shared 64 KB slab, which a kept body would hold on to.
 */
export function encodeCbor (value: unknown): Uint8Array {
  const bytes = encode(value, rfc8949EncodeOptions)
  return bytes.byteLength === bytes.buffer.byteLength && !Buffer.isBuffer(bytes) ? bytes : new Uint8Array(bytes)
}

/**
 * Decodes foreign bytes. Accepts only what `encodeCbor` would have written, so that equal values have equal bytes.
 * Throws WireError WIRE_TOO_LARGE above `maxBytes`, WIRE_MALFORMED when not CBOR, WIRE_NOT_CANONICAL otherwise.
 * @param views - byte strings may be views of `bytes`: for who copies what it keeps.
 */
export function decodeCbor (bytes: Uint8Array, maxBytes: number, views = false): unknown {
  if (bytes.byteLength > maxBytes) {
    throw new WireError('WIRE_TOO_LARGE', `message of ${bytes.byteLength} bytes, limit ${maxBytes}`, { data: { bytes: bytes.byteLength, maxBytes } })
  }
  const fast = decodeFast(bytes, views)
  if (fast !== UNKNOWN) return fast
  let value: unknown
  try {
    assertShallow(bytes)
    value = decode(bytes, { strict: true, allowIndefinite: false, allowUndefined: false, allowNaN: false, allowInfinity: false, rejectDuplicateMapKeys: true })
  } catch (error) {
    throw new WireError('WIRE_MALFORMED', `not CBOR: ${errorMessage(error)}`, { cause: error })
  }
  if (!equals(encodeCbor(value), bytes)) throw new WireError('WIRE_NOT_CANONICAL', 'CBOR is not in deterministic form')
  return value
}

/** Walks the headers only: bounds recursion and refuses lengths beyond the input before anything is allocated. */
function assertShallow (bytes: Uint8Array): void {
  const open: number[] = []
  let at = 0
  while (at < bytes.length) {
    const head = bytes[at] as number
    const major = head >> 5
    const info = head & 31
    if (info > 27) throw new Error('reserved or indefinite length')
    const extra = info < 24 ? 0 : 1 << (info - 24)
    let argument = info
    if (extra > 0) {
      if (at + extra >= bytes.length) throw new Error('truncated')
      argument = 0
      for (let i = 1; i <= extra; i++) argument = argument * 256 + (bytes[at + i] as number)
    }
    at += 1 + extra
    if (major === 2 || major === 3) {
      if (argument > bytes.length - at) throw new Error('string longer than the input')
      at += argument
    } else if (major === 4 || major === 5) {
      const items = major === 5 ? argument * 2 : argument
      if (items > bytes.length - at) throw new Error('collection longer than the input')
      if (items > 0) {
        open.push(items)
        if (open.length > MAX_DEPTH) throw new Error('nested too deeply')
        continue
      }
    } else if (major === 6) {
      throw new Error('tags are not used')
    }
    while (open.length > 0) {
      const left = (open[open.length - 1] as number) - 1
      if (left > 0) { open[open.length - 1] = left; break }
      open.pop()
    }
    if (open.length === 0) break
  }
  if (open.length > 0) throw new Error('truncated')
}
