import type { Channel } from '../../chain/vouchers/channel.ts'
import type { Address } from '../../wire/shapes.ts'
import { RoleError } from '../errors.ts'

/** The channel, if vouchers in it can still be signed. `now`: unix seconds. Throws RoleError VOUCHER_NO_CHANNEL or VOUCHER_REFUSED. */
export function liveChannel (channel: Channel, { payer, payee }: { payer: Address, payee: Address }, now: number): Channel {
  if (channel.until === 0) throw new RoleError('VOUCHER_NO_CHANNEL', `there is no channel from ${payer} to ${payee}`, { data: { payer, payee }, hint: 'The payer opens one with "lilynode voucher open".' })
  if (channel.isClosing) throw refusal('closing', `the channel from ${payer} to ${payee} is closing`, { payer, payee, until: channel.until })
  if (now > channel.until) throw refusal('expiry', `the channel from ${payer} to ${payee} is over`, { payer, payee, until: channel.until })
  return channel
}

/** Why a voucher or its channel is not taken: protocol/vouchers.md, Errors. */
export type Refusal = 'payee' | 'nonce' | 'closing' | 'close-seconds' | 'expiry' | 'signature'

export function refusal (reason: Refusal, message: string, data: Record<string, unknown>): RoleError {
  return new RoleError('VOUCHER_REFUSED', message, { data: { reason, ...data }, hint: 'Ask for a voucher of a channel that is open long enough; protocol/vouchers.md says what a payee checks.' })
}
