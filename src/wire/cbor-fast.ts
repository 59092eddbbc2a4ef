/**
 * Canonical CBOR in one pass, for what messages are made of: integers within 2^53, byte and text strings, arrays, maps with
 * ASCII keys, booleans and null. `decodeCbor` takes everything else, and everything that is wrong, the long way; a message in
 * the hot path costs a fifth so.
 */
const UNKNOWN = Symbol('for the long way')
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const { slice } = Uint8Array.prototype

/** Nesting that no message of the protocol needs; deeper input is refused. */
export const MAX_DEPTH = 16

/** The value and true, or false where the bytes are not certainly canonical. */
export function decodeFast (bytes: Uint8Array): { ok: true, value: unknown } | { ok: false } {
  const reader = { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), at: 0 }
  const value = read(reader, 0)
  return value === UNKNOWN || reader.at !== bytes.length ? { ok: false } : { ok: true, value }
}

interface Reader { readonly bytes: Uint8Array, readonly view: DataView, at: number }

function read (reader: Reader, depth: number): unknown {
  if (reader.at >= reader.bytes.length) return UNKNOWN
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

/** The argument of a head in its shortest form, and the reader behind it; -1 otherwise. */
function readArgument (reader: Reader, info: number): number {
  const at = ++reader.at
  if (info < 24) return info
  const size = 1 << (info - 24)
  if (info > 27 || at + size > reader.bytes.length) return -1
  reader.at = at + size
  if (info === 24) {
    const value = reader.bytes[at] as number
    return value < 24 ? -1 : value
  }
  if (info === 25) {
    const value = reader.view.getUint16(at)
    return value < 0x100 ? -1 : value
  }
  if (info === 26) {
    const value = reader.view.getUint32(at)
    return value < 0x1_0000 ? -1 : value
  }
  const value = reader.view.getUint32(at) * 0x1_0000_0000 + reader.view.getUint32(at + 4)
  return value < 0x1_0000_0000 || value > Number.MAX_SAFE_INTEGER ? -1 : value
}

/** A copy that owns its memory, whatever the message is a slice of. */
function readBytes (reader: Reader, length: number): unknown {
  const end = reader.at + length
  if (end > reader.bytes.length) return UNKNOWN
  const value = slice.call(reader.bytes, reader.at, end)
  reader.at = end
  return value
}

function readText (reader: Reader, length: number): unknown {
  const { bytes, at } = reader
  const end = at + length
  if (end > bytes.length) return UNKNOWN
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
  if (count > reader.bytes.length - reader.at) return UNKNOWN
  const items: unknown[] = []
  for (let index = 0; index < count; index++) {
    const item = read(reader, depth)
    if (item === UNKNOWN) return UNKNOWN
    items.push(item)
  }
  return items
}

/** Keys in the order of their bytes: the shorter first, then by character. A text of as many bytes as characters is ASCII. */
function readMap (reader: Reader, count: number, depth: number): unknown {
  if (count * 2 > reader.bytes.length - reader.at) return UNKNOWN
  const map: Record<string, unknown> = {}
  let last = ''
  for (let index = 0; index < count; index++) {
    const start = reader.at
    const key = read(reader, depth)
    if (typeof key !== 'string' || key === '__proto__' || key.length > 0xff || reader.at - start !== key.length + (key.length < 24 ? 1 : 2)) return UNKNOWN
    if (index > 0 && (key.length < last.length || (key.length === last.length && key <= last))) return UNKNOWN
    const value = read(reader, depth)
    if (value === UNKNOWN) return UNKNOWN
    map[key] = value
    last = key
  }
  return map
}
