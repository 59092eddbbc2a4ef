import type { Address } from './shapes.ts'

/**
 * Addresses seen lately, at places by their last bytes: the same authors come again and again, and one text for all records of an
 * author is looked up in a map without being hashed anew. Their bytes are in one piece of memory: a look touches little of it.
 */
const PLACES = 4096
const ADDRESS_BYTES = 20
const texts = new Array<Address | undefined>(PLACES)
const known = new Uint8Array(PLACES * ADDRESS_BYTES)

/** The text of the 20 bytes from `at` on. */
export function addressText (bytes: Uint8Array, at = 0): Address {
  const place = ((bytes[at + 18] as number) << 8 | (bytes[at + 19] as number)) % PLACES
  const seen = texts[place]
  if (seen !== undefined && isSameAddress(known, place * ADDRESS_BYTES, bytes, at)) return seen
  const text: Address = `0x${Buffer.from(bytes.buffer, bytes.byteOffset + at, ADDRESS_BYTES).toString('hex')}`
  texts[place] = text
  for (let index = 0; index < ADDRESS_BYTES; index++) known[place * ADDRESS_BYTES + index] = bytes[at + index] as number
  return text
}

/** Whether the same 20 bytes stand at both places. */
export function isSameAddress (one: Uint8Array, oneAt: number, other: Uint8Array, otherAt: number): boolean {
  for (let index = 0; index < ADDRESS_BYTES; index++) if (one[oneAt + index] !== other[otherAt + index]) return false
  return true
}
