/**
 * protocol/certificate.md, Bytes. Prices that can be written: 0, a whole number below 128, or (128 to 255) * 2^n up to 255 * 2^45. So a price is its exponent,
 * floor(log2(price)), and as many bits after the first as that, seven at most.
 */

/** Bits after the first. */
const FRACTION_BITS = 7
/** Bits that hold any exponent. */
export const EXPONENT_BITS = 6
const MAX_EXPONENT = 52

/** How many bits of fraction a price of this exponent has. */
export function fractionBits (exponent: number): number {
  return Math.min(FRACTION_BITS, exponent)
}

/** The price of an exponent and its fraction; undefined beyond 2^53 - 1. */
export function joinPrice (exponent: number, fraction: number): number | undefined {
  return exponent > MAX_EXPONENT ? undefined : (2 ** fractionBits(exponent) + fraction) * 2 ** (exponent - fractionBits(exponent))
}

/** Exponent and fraction of a price above 0 that can be written. */
export function splitPrice (price: number): { exponent: number, fraction: number } {
  const exponent = exponentOf(price)
  const bits = fractionBits(exponent)
  return { exponent, fraction: price / 2 ** (exponent - bits) - 2 ** bits }
}

/** The nearest price that can be written. Ties go up. */
export function roundPrice (price: number): number {
  if (!(price >= 0.5)) return 0
  const exponent = exponentOf(Math.min(price, 2 ** MAX_EXPONENT))
  const unit = 2 ** Math.max(0, exponent - FRACTION_BITS)
  return Math.min(Math.round(price / unit) * unit, 2 ** (MAX_EXPONENT + 1) - 2 ** (MAX_EXPONENT - FRACTION_BITS))
}

/** floor(log2(price)), at least 0: exact, for prices below 2^63. */
function exponentOf (price: number): number {
  return price < 2 ** 32 ? 31 - Math.clz32(Math.max(1, price)) : 63 - Math.clz32(price / 2 ** 32)
}
