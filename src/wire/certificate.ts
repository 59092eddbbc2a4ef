import { createBitReader, createBitWriter, type BitReader, type BitWriter } from './bits.ts'
import { EXPONENT_BITS, fractionBits, joinPrice, roundPrice, splitPrice } from './certificate-price.ts'
import { putGamma, putRice, takeGamma, takeRice } from './codes.ts'
import { WireError } from './errors.ts'

export { roundPrice } from './certificate-price.ts'

/** protocol/certificate.md. Prices that bound what any solution of an epoch can score. */

/** Resources that a price may stand for; protocol/certificate.md, Rows. */
export const CERTIFICATE_ROWS = 8
/** Keys have so many bits: of 1,100 classes one pair shares a key, which only makes the bound a little looser. */
export const KEY_BITS = 20
/** Classes of the largest book measured (80,000 x 15,000) are 4,300. */
export const MAX_CERTIFICATE_ENTRIES = 16_383
/** All of them with every row and all 256 sets of rows: 17 bytes each. */
export const MAX_CERTIFICATE_BYTES = 400_000

const VERSION = 2
const COUNT_BITS = 14
/** Sets of rows that have a price: so many at most, and numbers below that have so many bits. */
const MAX_SETS = 2 ** CERTIFICATE_ROWS
const SET_BITS = CERTIFICATE_ROWS + 1
/** For the width of a row's exponents, 0 to 6 bits. */
const WIDTH_BITS = 3

/** Prices by key of a class of units, ascending: integers in nLILY for one unit of each row, representable (`roundPrice`). */
export interface Certificate { readonly entries: ReadonlyArray<{ readonly key: number, readonly prices: readonly number[] }> }

/** What of a certificate's bytes comes before its entries. */
interface Head {
  /** Sets of rows that have a price, as bits, row 0 highest: the most frequent first, the smaller first among equals. */
  readonly sets: readonly number[]
  /** Per row its lowest exponent, and how many bits say how far others are above; 0 and 0 for a row without prices. */
  readonly lowest: readonly number[]
  readonly widths: readonly number[]
}

/** Canonical bytes (protocol/certificate.md, Bytes). Throws WireError WIRE_INVALID, WIRE_TOO_LARGE. */
export function encodeCertificate ({ entries }: Certificate): Uint8Array {
  if (entries.length > MAX_CERTIFICATE_ENTRIES) throw new WireError('WIRE_TOO_LARGE', `certificate of ${entries.length} entries, limit ${MAX_CERTIFICATE_ENTRIES}`, { data: { entries: entries.length } })
  const writer = createBitWriter()
  const head = headOf(entries)
  writer.put(VERSION, 8)
  writer.put(entries.length, COUNT_BITS)
  putHead(writer, head)
  const places = new Map(head.sets.map((set, at) => [set, at]))
  let last = -1
  for (const { key, prices } of entries) {
    if (!(Number.isInteger(key) && key > last && key < 2 ** KEY_BITS)) throw new WireError('WIRE_INVALID', `key ${key} of a certificate after ${last}`, { data: { key, last } })
    putRice(writer, key - last - 1, lowBits(entries.length))
    last = key
    putGamma(writer, places.get(setOf(prices)) as number)
    prices.forEach((price, row) => {
      if (price === 0) return
      const { exponent, fraction } = splitPrice(price)
      writer.put(exponent - (head.lowest[row] as number), head.widths[row] as number)
      writer.put(fraction, fractionBits(exponent))
    })
  }
  return writer.bytes()
}

/** Decodes a certificate; accepts only canonical bytes. Throws WireError WIRE_TOO_LARGE, WIRE_MALFORMED, WIRE_NOT_CANONICAL. */
export function decodeCertificate (bytes: Uint8Array): Certificate {
  if (bytes.length > MAX_CERTIFICATE_BYTES) throw new WireError('WIRE_TOO_LARGE', `certificate of ${bytes.length} bytes, limit ${MAX_CERTIFICATE_BYTES}`, { data: { bytes: bytes.length } })
  const reader = createBitReader(bytes)
  const version = known(reader.take(8))
  if (version !== VERSION) throw new WireError('WIRE_MALFORMED', `certificate of version ${version}`, { data: { version } })
  const count = known(reader.take(COUNT_BITS))
  const head = takeHead(reader)
  const entries: Array<{ key: number, prices: number[] }> = []
  let last = -1
  for (let at = 0; at < count; at++) {
    const low = lowBits(count)
    const key = last + 1 + known(takeRice(reader, low, 2 ** (KEY_BITS - low)))
    const set = head.sets[known(takeGamma(reader, SET_BITS))]
    if (key >= 2 ** KEY_BITS || set === undefined) throw new WireError('WIRE_NOT_CANONICAL', 'a key of a certificate is too large, or its set of rows unknown', { data: { key } })
    entries.push({ key, prices: Array.from({ length: CERTIFICATE_ROWS }, (_, row) => hasRow(set, row) ? takePrice(reader, head, row) : 0) })
    last = key
  }
  // One certificate, one form: sets in their order, exponents as narrow as they can be, zeros to the end.
  if (!isSame(encodeCertificate({ entries }), bytes)) throw new WireError('WIRE_NOT_CANONICAL', 'a certificate is not written in the one form', { data: { bytes: bytes.length } })
  return { entries }
}

function headOf (entries: Certificate['entries']): Head {
  const counts = new Map<number, number>()
  const lowest = new Array<number>(CERTIFICATE_ROWS).fill(0)
  const highest = new Array<number>(CERTIFICATE_ROWS).fill(-1)
  for (const { prices } of entries) {
    const set = setOf(prices)
    counts.set(set, (counts.get(set) ?? 0) + 1)
    prices.forEach((price, row) => {
      if (price === 0) return
      if (row >= CERTIFICATE_ROWS || roundPrice(price) !== price) throw new WireError('WIRE_INVALID', `price ${price} of a certificate cannot be written`, { data: { price } })
      const { exponent } = splitPrice(price)
      lowest[row] = highest[row] === -1 ? exponent : Math.min(lowest[row] as number, exponent)
      highest[row] = Math.max(highest[row] as number, exponent)
    })
  }
  const sets = [...counts.keys()].sort((left, right) => (counts.get(right) as number) - (counts.get(left) as number) || left - right)
  return { sets, lowest, widths: highest.map((most, row) => most === -1 ? 0 : 32 - Math.clz32(most - (lowest[row] as number))) }
}

function putHead (writer: BitWriter, { sets, lowest, widths }: Head): void {
  writer.put(sets.length, SET_BITS)
  for (const set of sets) writer.put(set, CERTIFICATE_ROWS)
  lowest.forEach((exponent, row) => {
    writer.put(exponent, EXPONENT_BITS)
    writer.put(widths[row] as number, WIDTH_BITS)
  })
}

function takeHead (reader: BitReader): Head {
  const length = known(reader.take(SET_BITS))
  if (length > MAX_SETS) throw new WireError('WIRE_NOT_CANONICAL', `${length} sets of rows of a certificate`, { data: { length } })
  const sets = Array.from({ length }, () => known(reader.take(CERTIFICATE_ROWS)))
  const rows = Array.from({ length: CERTIFICATE_ROWS }, () => [known(reader.take(EXPONENT_BITS)), known(reader.take(WIDTH_BITS))] as const)
  return { sets, lowest: rows.map(([lowest]) => lowest), widths: rows.map(([, width]) => width) }
}

function takePrice (reader: BitReader, { lowest, widths }: Head, row: number): number {
  const exponent = (lowest[row] as number) + known(reader.take(widths[row] as number))
  const price = joinPrice(exponent, known(reader.take(fractionBits(exponent))))
  if (price === undefined) throw new WireError('WIRE_NOT_CANONICAL', `an exponent of a certificate is ${exponent}`, { data: { exponent } })
  return price
}

/** Bits of a key's distance that are written as they are: keys are even over their range. */
function lowBits (count: number): number {
  return count === 0 ? 0 : 31 - Math.clz32(Math.floor(2 ** KEY_BITS / count))
}

const hasRow = (set: number, row: number): boolean => ((set >>> (CERTIFICATE_ROWS - 1 - row)) & 1) === 1

function setOf (prices: readonly number[]): number {
  return prices.reduce((set, price, row) => price > 0 ? set | (1 << (CERTIFICATE_ROWS - 1 - row)) : set, 0)
}

function isSame (left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, at) => byte === right[at])
}

function known (value: number | undefined): number {
  if (value === undefined) throw new WireError('WIRE_MALFORMED', 'a certificate ends early, or a number of it goes on too long', {})
  return value
}
