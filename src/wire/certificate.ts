import { createBitReader, createBitWriter } from './bits.ts'
import { WireError } from './errors.ts'

/** protocol/certificate.md. Prices that bound what any solution of an epoch can score. */

/** Resources that a price may stand for; protocol/certificate.md, Rows. */
export const CERTIFICATE_ROWS = 8
/** Keys have so many bits: of 1,100 classes one pair shares a key, which only makes the bound a little looser. */
export const KEY_BITS = 20
/** Classes of the largest book measured (80,000 x 15,000) are 4,300. */
export const MAX_CERTIFICATE_ENTRIES = 16_383
/** All of them with every row: 18 bytes each. */
export const MAX_CERTIFICATE_BYTES = 400_000

const VERSION = 1
const COUNT_BITS = 14
const LENGTH_BITS = 5
const FRACTION_BITS = 7
const EXPONENT_BITS = 6
const MAX_EXPONENT = 52

/** Prices by key of a class of units, ascending: integers in nLILY for one unit of each row, representable (`roundPrice`). */
export interface Certificate { readonly entries: ReadonlyArray<{ readonly key: number, readonly prices: readonly number[] }> }

/** The nearest price that can be written: 0, or (128 to 255) * 2^n up to 255 * 2^45, or a whole number below 128. Ties go up. */
export function roundPrice (price: number): number {
  if (!(price >= 0.5)) return 0
  const { exponent, fraction } = split(price)
  return (2 ** FRACTION_BITS + fraction) * 2 ** exponent / 2 ** FRACTION_BITS
}

/** price = (128 + fraction) / 128 * 2^exponent, rounded; a price is a whole number, so small exponents use the fraction's upper bits only. */
function split (price: number): { exponent: number, fraction: number } {
  let exponent = Math.min(MAX_EXPONENT, Math.floor(Math.log2(price)))
  const unit = Math.max(2 ** (exponent - FRACTION_BITS), 1)
  let rounded = Math.round(price / unit) * unit
  if (rounded >= 2 ** (exponent + 1)) {
    if (exponent === MAX_EXPONENT) rounded = 2 ** (exponent + 1) - unit
    else exponent++
  }
  return { exponent, fraction: Math.round((rounded / 2 ** exponent - 1) * 2 ** FRACTION_BITS) }
}

/**
 * Canonical bytes: version, then in bits the count of entries, and for each the distance of its key from the one before less one (5 bits for its length, then
 * itself), 8 bits that say which rows have a price, and for each of those 6 bits of exponent and 7 of fraction. Throws WireError WIRE_INVALID, WIRE_TOO_LARGE.
 */
export function encodeCertificate ({ entries }: Certificate): Uint8Array {
  if (entries.length > MAX_CERTIFICATE_ENTRIES) throw new WireError('WIRE_TOO_LARGE', `certificate of ${entries.length} entries, limit ${MAX_CERTIFICATE_ENTRIES}`, { data: { entries: entries.length } })
  const writer = createBitWriter()
  writer.put(VERSION, 8)
  writer.put(entries.length, COUNT_BITS)
  let last = -1
  for (const { key, prices } of entries) {
    if (!(Number.isInteger(key) && key > last && key < 2 ** KEY_BITS)) throw new WireError('WIRE_INVALID', `key ${key} of a certificate after ${last}`, { data: { key, last } })
    const distance = key - last - 1
    const length = distance === 0 ? 0 : 32 - Math.clz32(distance)
    writer.put(length, LENGTH_BITS)
    writer.put(distance, length)
    for (let row = 0; row < CERTIFICATE_ROWS; row++) writer.put((prices[row] ?? 0) > 0 ? 1 : 0, 1)
    for (const price of prices) {
      if (price === 0) continue
      if (roundPrice(price) !== price) throw new WireError('WIRE_INVALID', `price ${price} of a certificate cannot be written`, { data: { price } })
      const { exponent, fraction } = split(price)
      writer.put(exponent, EXPONENT_BITS)
      writer.put(fraction, FRACTION_BITS)
    }
    last = key
  }
  return writer.bytes()
}

/** Decodes a certificate; accepts only canonical bytes. Throws WireError WIRE_TOO_LARGE, WIRE_MALFORMED, WIRE_NOT_CANONICAL. */
export function decodeCertificate (bytes: Uint8Array): Certificate {
  if (bytes.length > MAX_CERTIFICATE_BYTES) throw new WireError('WIRE_TOO_LARGE', `certificate of ${bytes.length} bytes, limit ${MAX_CERTIFICATE_BYTES}`, { data: { bytes: bytes.length } })
  const reader = createBitReader(bytes)
  const take = (bits: number): number => {
    const value = reader.take(bits)
    if (value === undefined) throw new WireError('WIRE_MALFORMED', 'a certificate ends early', { data: { bytes: bytes.length } })
    return value
  }
  const version = take(8)
  if (version !== VERSION) throw new WireError('WIRE_MALFORMED', `certificate of version ${version}`, { data: { version } })
  const count = take(COUNT_BITS)
  const entries: Array<{ key: number, prices: number[] }> = []
  let last = -1
  for (let at = 0; at < count; at++) {
    const length = take(LENGTH_BITS)
    const distance = take(length)
    const key = last + 1 + distance
    if (key >= 2 ** KEY_BITS || (length > 0 && distance < 2 ** (length - 1))) throw new WireError('WIRE_NOT_CANONICAL', 'a key of a certificate is too large or has leading zeros', { data: { key } })
    const rows = take(CERTIFICATE_ROWS)
    const prices = Array.from({ length: CERTIFICATE_ROWS }, (_, row) => {
      if (((rows >>> (CERTIFICATE_ROWS - 1 - row)) & 1) === 0) return 0
      const exponent = take(EXPONENT_BITS)
      const fraction = take(FRACTION_BITS)
      const price = (2 ** FRACTION_BITS + fraction) * 2 ** exponent / 2 ** FRACTION_BITS
      if (!Number.isSafeInteger(price)) throw new WireError('WIRE_NOT_CANONICAL', `price ${price} of a certificate is no whole number below 2^53`, { data: { price } })
      return price
    })
    entries.push({ key, prices })
    last = key
  }
  if (!reader.isDone()) throw new WireError('WIRE_NOT_CANONICAL', 'a certificate has bytes after its entries', { data: { bytes: bytes.length } })
  return { entries }
}
