/** Basis points of the whole. */
export const BP = 10_000

/**
 * Integer amounts, nLILY. All operands are safe non-negative integers or Infinity. A result above 2^53 - 1 is Infinity, never a rounded number: IEEE doubles
 * round such a sum or product of integers to 2^53 or more, so the test after each step is exact.
 */
export function safe (amount: number): number {
  return Number.isSafeInteger(amount) ? amount : Number.POSITIVE_INFINITY
}

/** floor(amount * factor / 10,000), exact; Infinity above 2^53 - 1. */
export function floorShare (amount: number, factor: number): number {
  const product = amount * factor
  if (Number.isSafeInteger(product)) return (product - product % BP) / BP
  return Number.isSafeInteger(amount) ? safe(Number(BigInt(amount) * BigInt(factor) / BigInt(BP))) : Number.POSITIVE_INFINITY
}

/** ceil(amount * factor / 10,000), exact; Infinity above 2^53 - 1. */
export function ceilShare (amount: number, factor: number): number {
  const product = amount * factor
  if (Number.isSafeInteger(product)) return (product - product % BP) / BP + (product % BP === 0 ? 0 : 1)
  return Number.isSafeInteger(amount) ? safe(Number((BigInt(amount) * BigInt(factor) + BigInt(BP - 1)) / BigInt(BP))) : Number.POSITIVE_INFINITY
}
