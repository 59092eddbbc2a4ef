/**
 * protocol/matching.md, Bound. GPU shares as rows of a linear program. A row maps a share in 1/10,000 to an integer such that shares that fit one device
 * together never exceed the row's value of the device's free share: each function is increasing and superadditive, f(x) + f(y) <= f(x + y). The first is the
 * share itself, the others are the dual feasible functions u(k) of Fekete and Schepers (2001), scaled to integers: x * (k + 1) / k where that is whole, else
 * floor((k + 1) * x) / k, times k * (k + 1).
 */
const WHOLE = 10_000
const ORDERS = [1, 2, 3, 4] as const

/** Rows of resources before those of shares: CPU, memory, disk. */
export const PLAIN_ROWS = 3
/** All rows. */
export const ROWS = PLAIN_ROWS + 1 + ORDERS.length

/** The value of a share in row `PLAIN_ROWS + at`. Integer. */
export function shareInRow (at: number, shareBp: number): number {
  if (at === 0) return shareBp
  const k = ORDERS[at - 1] as number
  const parts = (k + 1) * shareBp
  return parts % WHOLE === 0 ? k * parts / WHOLE : (k + 1) * Math.floor(parts / WHOLE)
}
