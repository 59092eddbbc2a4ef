import { NLILY_PER_LILY } from '../wire/amount.ts'
import { CliError } from './errors.ts'

/** "1.5" LILY as nLILY. Throws CliError USAGE_AMOUNT. */
export function parseLily (text: string): number {
  const match = /^(\d{1,10})(?:\.(\d{1,9}))?$/.exec(text.trim())
  const amount = match === null ? Number.NaN : Number(match[1]) * NLILY_PER_LILY + Number((match[2] ?? '').padEnd(9, '0'))
  if (!Number.isSafeInteger(amount)) throw new CliError('USAGE_AMOUNT', `"${text}" is no amount of LILY`, { data: { amount: text }, hint: 'Write LILY with at most nine decimals, like 1.5; at most 9,007,199.' })
  return amount
}
