import type { ChannelId, Reservation, SignedVoucher } from '../../wire/voucher.ts'
import type { Hash } from '../../wire/shapes.ts'
import { fromAmount } from '../amounts.ts'
import type { ContractCall } from '../contract-call.ts'
import { encodeCall } from '../encode-call.ts'
import { toContractSignature } from '../signing.ts'

/** protocol/vouchers.md, What happens. A signature of an account has 65 bytes, or what its ERC-1271 contract takes; `0x` where it sends the call itself. */

/** Opens the pair's next channel or raises the live one. */
export function reserveCall ({ payer, payee, signer, amount, nonce, expiry, closeSeconds }: Reservation, signature: Hash | '0x' = '0x'): ContractCall {
  return encodeCall('vouchers', 'reserve', [{ payer, payee, signer, amount: fromAmount(amount), nonce: fromAmount(nonce), expiry: fromAmount(expiry), closeSeconds }, signature])
}

/** Pays what the voucher adds. Anyone may send it. */
export function redeemCall ({ payer, payee, nonce, amount, signature }: SignedVoucher): ContractCall {
  return encodeCall('vouchers', 'redeem', [{ payer, payee, nonce: fromAmount(nonce), amount: fromAmount(amount) }, toContractSignature(signature)])
}

/** By the payer: the channel ends after its closing time. */
export function startCloseCall ({ payer, payee, nonce }: ChannelId, signature: Hash | '0x' = '0x'): ContractCall {
  return encodeCall('vouchers', 'startClose', [payer, payee, fromAmount(nonce), signature])
}

/** By the payee, or by anyone once the channel is over: the payer gets the rest. */
export function closeCall ({ payer, payee, nonce }: ChannelId, signature: Hash | '0x' = '0x'): ContractCall {
  return encodeCall('vouchers', 'close', [payer, payee, fromAmount(nonce), signature])
}

/** Several calls of the contract Vouchers in one transaction, in this order. */
export function vouchersTogetherCall (calls: readonly ContractCall[]): ContractCall {
  return encodeCall('vouchers', 'multicall', [calls.map(({ data }) => data)])
}
