import type { BitReader, BitWriter } from './bits.ts'

/** Codes of whole numbers in bits. Readers are undefined where the bits end, or go on beyond what a number may be. */

/** Elias gamma of `value` + 1: as many zeros as bits follow its highest one. Short for small numbers. */
export function putGamma (writer: BitWriter, value: number): void {
  const length = 32 - Math.clz32(value + 1)
  writer.put(0, length - 1)
  writer.put(value + 1, length)
}

/** Numbers below 2^`maxBits` - 1. */
export function takeGamma (reader: BitReader, maxBits: number): number | undefined {
  const zeros = takeUnary(reader, 0, maxBits)
  const rest = zeros === undefined ? undefined : reader.take(zeros)
  return zeros === undefined || rest === undefined ? undefined : 2 ** zeros + rest - 1
}

/** Rice: value / 2^`low` as ones and a zero, then the `low` lowest bits. Short for numbers about 2^low. */
export function putRice (writer: BitWriter, value: number, low: number): void {
  for (let left = value >>> low; left > 0; left--) writer.put(1, 1)
  writer.put(0, 1)
  writer.put(value % 2 ** low, low)
}

/** Numbers up to 2^low * `most` - 1. */
export function takeRice (reader: BitReader, low: number, most: number): number | undefined {
  const high = takeUnary(reader, 1, most)
  const rest = high === undefined ? undefined : reader.take(low)
  return high === undefined || rest === undefined ? undefined : high * 2 ** low + rest
}

/** How many of `bit` come before the other one, which is read too. */
function takeUnary (reader: BitReader, bit: number, limit: number): number | undefined {
  for (let count = 0; count < limit; count++) {
    const next = reader.take(1)
    if (next === undefined) return undefined
    if (next !== bit) return count
  }
  return undefined
}
