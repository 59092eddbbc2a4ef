import { hash } from 'node:crypto'
import { bytesToHex, hexToBytes } from 'viem'
import type { Hash } from '../wire/shapes.ts'

/** One element of a set: `timestamp` orders first, then the id's bytes. */
export interface Item { timestamp: number, id: Hash }
/** A place between items: the first item at or above it. An infinite timestamp is the end. */
export interface Bound { timestamp: number, id: Uint8Array }

export const ID_BYTES = 32
export const FINGERPRINT_BYTES = 16
const WORDS = 8

/**
 * A sorted, immutable set of items. Sums of ids are kept for every prefix, so that the fingerprint of any range costs the
 * same: a peer that asks for many ranges costs no more than its bytes.
 */
export interface ItemSet {
  readonly size: number
  /** Negentropy V1: first 16 bytes of sha-256 of (sum of ids mod 2^256, little-endian || varint of the count), items [begin, end). */
  fingerprint: (begin: number, end: number) => Uint8Array
  /** Index of the first item at or above `bound`, at least `from`. */
  lowerBound: (from: number, bound: Bound) => number
  timestampAt: (index: number) => number
  /** A view, not to be written to. */
  idAt: (index: number) => Uint8Array
  hexAt: (index: number) => Hash
}

/** Sorts `items` into a set. Ids are unique. */
export function createItemSet (items: readonly Item[]): ItemSet {
  const sorted = [...items].sort((a, b) => a.timestamp - b.timestamp || (a.id < b.id ? -1 : 1))
  const size = sorted.length
  const timestamps = Float64Array.from(sorted, (item) => item.timestamp)
  const ids = new Uint8Array(size * ID_BYTES)
  sorted.forEach((item, index) => { ids.set(hexToBytes(item.id), index * ID_BYTES) })
  const sums = prefixSums(ids, size)
  const idAt = (index: number): Uint8Array => ids.subarray(index * ID_BYTES, (index + 1) * ID_BYTES)

  return {
    size,
    timestampAt: (index) => timestamps[index] as number,
    idAt,
    hexAt: (index) => bytesToHex(idAt(index)),
    lowerBound: (from, bound) => {
      let low = from
      let high = size
      while (low < high) {
        const middle = (low + high) >>> 1
        if (compareToBound(timestamps[middle] as number, idAt(middle), bound) < 0) low = middle + 1
        else high = middle
      }
      return low
    },
    fingerprint: (begin, end) => {
      const count = encodeVarint(end - begin)
      const input = new Uint8Array(ID_BYTES + count.length)
      const view = new DataView(input.buffer)
      let borrow = 0
      for (let word = 0; word < WORDS; word++) {
        const difference = (sums[end * WORDS + word] as number) - (sums[begin * WORDS + word] as number) - borrow
        borrow = difference < 0 ? 1 : 0
        view.setUint32(word * 4, difference >>> 0, true)
      }
      input.set(count, ID_BYTES)
      return new Uint8Array(hash('sha256', input, 'buffer')).subarray(0, FINGERPRINT_BYTES)
    }
  }
}

/** Row i: the sum of the first i ids mod 2^256, as eight 32-bit words, least significant first. */
function prefixSums (ids: Uint8Array, size: number): Uint32Array {
  const sums = new Uint32Array((size + 1) * WORDS)
  const view = new DataView(ids.buffer)
  for (let index = 0; index < size; index++) {
    let carry = 0
    for (let word = 0; word < WORDS; word++) {
      const sum = (sums[index * WORDS + word] as number) + view.getUint32(index * ID_BYTES + word * 4, true) + carry
      sums[(index + 1) * WORDS + word] = sum >>> 0
      carry = sum > 0xffffffff ? 1 : 0
    }
  }
  return sums
}

/** Base-128 digits, most significant first; the high bit is set on all but the last. */
export function encodeVarint (value: number): Uint8Array {
  const digits = [value % 128]
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) digits.unshift(rest % 128 + 128)
  return Uint8Array.from(digits)
}

/** Order of an item against a bound, whose missing id bytes are zero. */
export function compareToBound (timestamp: number, id: Uint8Array, bound: Bound): number {
  if (timestamp !== bound.timestamp) return timestamp < bound.timestamp ? -1 : 1
  for (let i = 0; i < ID_BYTES; i++) {
    const difference = (id[i] ?? 0) - (bound.id[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
