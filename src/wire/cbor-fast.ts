import { readArgument, type Cursor } from './cbor-head.ts'

/**
 * Canonical CBOR in one pass, for what messages are made of: integers within 2^53, byte and text strings, arrays, maps with
 * short ASCII keys, booleans and null. `decodeCbor` takes everything else, and everything that is wrong, the long way; a message in
 * the hot path costs a fifth so.
 */
export const UNKNOWN = Symbol('for the long way')
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const { slice, subarray } = Uint8Array.prototype

/** Nesting that no message of the protocol needs; deeper input is refused. */
export const MAX_DEPTH = 16

/**
 * The value of the bytes from `from` to `end`; UNKNOWN where they are not certainly canonical. `views`: byte strings are views of
 * the message, not copies.
 */
export function decodeFast (bytes: Uint8Array, views = false, from = 0, end = bytes.length): unknown {
  const reader = { bytes, views, at: from, end }
  const value = read(reader, 0)
  return reader.at === end ? value : UNKNOWN
}

interface Reader extends Cursor { readonly views: boolean }

function read (reader: Reader, depth: number): unknown {
  if (reader.at >= reader.end) return UNKNOWN
  const head = reader.bytes[reader.at] as number
  const major = head >> 5
  if (major === 7) {
    reader.at++
    return head === 0xf4 ? false : head === 0xf5 ? true : head === 0xf6 ? null : UNKNOWN
  }
  const argument = readArgument(reader, head & 31)
  if (argument < 0) return UNKNOWN
  switch (major) {
    case 0: return argument
    case 1: return argument === Number.MAX_SAFE_INTEGER ? UNKNOWN : -1 - argument
    case 2: return readBytes(reader, argument)
    case 3: return readText(reader, argument)
    case 4: return depth < MAX_DEPTH ? readArray(reader, argument, depth + 1) : UNKNOWN
    case 5: return depth < MAX_DEPTH ? readMap(reader, argument, depth + 1) : UNKNOWN
    default: return UNKNOWN
  }
}

/** A copy owns its memory, whatever the message is a slice of. */
function readBytes (reader: Reader, length: number): unknown {
  const end = reader.at + length
  if (end > reader.end) return UNKNOWN
  const value = reader.views ? subarray.call(reader.bytes, reader.at, end) : slice.call(reader.bytes, reader.at, end)
  reader.at = end
  return value
}

function readText (reader: Reader, length: number): unknown {
  const { bytes, at } = reader
  const end = at + length
  if (end > reader.end) return UNKNOWN
  reader.at = end
  let text = ''
  for (let index = at; index < end; index++) {
    const byte = bytes[index] as number
    if (byte > 0x7f) return readWide(bytes.subarray(at, end))
    if (length < 24) text += String.fromCharCode(byte)
  }
  return length < 24 ? text : Buffer.from(bytes.buffer, bytes.byteOffset + at, length).toString('latin1')
}

function readWide (bytes: Uint8Array): unknown {
  try {
    return utf8.decode(bytes)
  } catch {
    return UNKNOWN
  }
}

function readArray (reader: Reader, count: number, depth: number): unknown {
  if (count > reader.end - reader.at) return UNKNOWN
  const items: unknown[] = []
  for (let index = 0; index < count; index++) {
    const item = read(reader, depth)
    if (item === UNKNOWN) return UNKNOWN
    items.push(item)
  }
  return items
}

/** Keys in the order of their bytes: the shorter first, then by character. */
function readMap (reader: Reader, count: number, depth: number): unknown {
  if (count * 2 > reader.end - reader.at) return UNKNOWN
  const map: Record<string, unknown> = {}
  let last = ''
  for (let index = 0; index < count; index++) {
    const key = readKey(reader)
    if (key === undefined || (index > 0 && (key.length < last.length || (key.length === last.length && key <= last)))) return UNKNOWN
    const value = read(reader, depth)
    if (value === UNKNOWN) return UNKNOWN
    map[key] = value
    last = key
  }
  return map
}

/** Keys seen lately by a hash of their characters: the same few come in every message, and making a string anew costs more than all else. */
const known = new Array<string | undefined>(512)

/** A key of at most 23 ASCII characters; undefined for any other. */
function readKey (reader: Reader): string | undefined {
  const { bytes } = reader
  const length = (bytes[reader.at] as number) - 0x60
  const start = reader.at + 1
  const end = start + length
  if (!(length >= 0 && length < 24) || end > reader.end) return undefined
  let hash = length
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number
    if (byte > 0x7f) return undefined
    hash = (Math.imul(hash, 31) + byte) & 0x7fff_ffff
  }
  reader.at = end
  const place = hash % known.length
  const candidate = known[place]
  if (candidate !== undefined && isText(candidate, bytes, start, length)) return candidate
  let key = ''
  for (let at = start; at < end; at++) key += String.fromCharCode(bytes[at] as number)
  if (key === '__proto__') return undefined
  known[place] = key
  return key
}

function isText (text: string, bytes: Uint8Array, start: number, length: number): boolean {
  if (text.length !== length) return false
  for (let index = 0; index < length; index++) if (text.charCodeAt(index) !== bytes[start + index]) return false
  return true
}
