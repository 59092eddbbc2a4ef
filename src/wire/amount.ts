/** Amounts are whole nLILY everywhere; people read LILY. */
export const NLILY_PER_LILY = 1_000_000_000

/** nLILY as LILY for people, without trailing zeros. */
export function formatLily (amount: number): string {
  const size = Math.abs(amount)
  const sign = amount < 0 ? '-' : ''
  const rest = String(size % NLILY_PER_LILY).padStart(9, '0').replace(/0+$/, '')
  return `${sign}${Math.trunc(size / NLILY_PER_LILY)}${rest === '' ? '' : `.${rest}`}`
}
