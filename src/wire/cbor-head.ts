/** A place in an encoding, which goes as far as `end`. */
export interface Cursor { readonly bytes: Uint8Array, at: number, readonly end: number }

/** Major types (RFC 8949). */
export const MAJOR = { uint: 0, bytes: 2, text: 3, array: 4, map: 5 } as const
/** The least argument that needs so many bytes: 1, 2, 4, 8. */
const LEAST = [24, 0x100, 0x1_0000, 0x1_0000_0000] as const

/** The argument of the head at the cursor in its shortest form, up to 2^53 - 1, and the cursor behind it; -1 otherwise. `info`: the head's lower five bits. */
export function readArgument (cursor: Cursor, info: number): number {
  const at = ++cursor.at
  if (info < 24) return info
  const end = at + (1 << (info - 24))
  if (info > 27 || end > cursor.end) return -1
  cursor.at = end
  let value = 0
  for (let index = at; index < end; index++) value = value * 256 + (cursor.bytes[index] as number)
  return value < (LEAST[info - 24] as number) || value > Number.MAX_SAFE_INTEGER ? -1 : value
}

/** The same for a head of one major type; -1 for any other. */
export function readHead (cursor: Cursor, major: number): number {
  if (cursor.at >= cursor.end) return -1
  const head = cursor.bytes[cursor.at] as number
  return head >> 5 === major ? readArgument(cursor, head & 31) : -1
}
