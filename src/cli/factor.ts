import { MAX_ASK_BP } from '../wire/fleet-roster.ts'
import { CliError } from './errors.ts'

const BP = 10_000

/** A multiple of the reference prices in 1/10,000. Throws CliError USAGE_NUMBER. */
export function parseFactor (text: string, name: string): number {
  const bp = Math.round(Number(text) * BP)
  if (!/^\d+(?:\.\d+)?$/.test(text) || bp < 1 || bp > MAX_ASK_BP) throw new CliError('USAGE_NUMBER', `${name} "${text}" is not from 0.0001 to ${MAX_ASK_BP / BP}`, { data: { value: text }, hint: 'It multiplies the reference prices: 0.8 asks for four fifths of them; "default" leaves it to the node.' })
  return bp
}
