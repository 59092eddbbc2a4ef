import type { Address } from './shapes.ts'

/** Addresses seen lately, by their last bytes: the same authors come again and again, and one text for all records of an author is looked up in a map without being hashed anew. */
const known = new Array<{ bytes: Uint8Array, text: Address } | undefined>(4096)

/** The text of the 20 bytes from `at` on. */
export function addressText (bytes: Uint8Array, at = 0): Address {
  const place = ((bytes[at + 18] as number) << 8 | (bytes[at + 19] as number)) % known.length
  const seen = known[place]
  if (seen !== undefined && isSame(seen.bytes, bytes, at)) return seen.text
  const text: Address = `0x${Buffer.from(bytes.buffer, bytes.byteOffset + at, 20).toString('hex')}`
  known[place] = { bytes: bytes.slice(at, at + 20), text }
  return text
}

function isSame (one: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let index = 0; index < 20; index++) if (one[index] !== bytes[at + index]) return false
  return true
}
