import { encodeCbor } from './cbor.ts'

/**
 * Canonical CBOR of `[...items, [strings...]]`: what carries records. The result is allocated once and written by hand; through the
 * general encoder a page of records is copied twice, and what is allocated outside of the heap makes V8 mark a large book again and again.
 */
export function encodeWithStrings (items: readonly unknown[], strings: readonly Uint8Array[]): Uint8Array {
  const parts = items.map(encodeCbor)
  const itemBytes = parts.reduce((sum, part) => sum + part.byteLength, 0)
  const stringBytes = strings.reduce((sum, { byteLength }) => sum + headLength(byteLength) + byteLength, 0)
  const bytes = new Uint8Array(headLength(items.length + 1) + itemBytes + headLength(strings.length) + stringBytes)
  let at = writeHead(bytes, 0, 0x80, items.length + 1)
  for (const part of parts) {
    bytes.set(part, at)
    at += part.byteLength
  }
  at = writeHead(bytes, at, 0x80, strings.length)
  for (const string of strings) {
    at = writeHead(bytes, at, 0x40, string.byteLength)
    bytes.set(string, at)
    at += string.byteLength
  }
  return bytes
}

/** Bytes of a head whose argument stands in its shortest form. Arguments stay below 2^32. */
function headLength (argument: number): number {
  return argument < 24 ? 1 : argument < 0x100 ? 2 : argument < 0x1_0000 ? 3 : 5
}

/** What the low bits of a head say of its length. */
const INFO: Readonly<Record<number, number>> = { 2: 24, 3: 25, 5: 26 }

/** Returns where the next byte goes. */
function writeHead (bytes: Uint8Array, at: number, major: number, argument: number): number {
  const length = headLength(argument)
  bytes[at] = major | (length === 1 ? argument : INFO[length] as number)
  for (let index = length - 1, rest = argument; index > 0; index--, rest = Math.floor(rest / 0x100)) bytes[at + index] = rest % 0x100
  return at + length
}
