import { z } from 'zod'
import { addressShape, amountShape, signatureShape, uintShape, type Address, type Hash, type Signature } from './shapes.ts'
import { encodeType, hashStruct, typedDigest, typeHashOf, type Domain, type StructType } from './typed-data.ts'

/** protocol/vouchers.md. What is signed about the channel of a payer and a payee; amounts in nLILY, in all; times in unix seconds. */

/** Names a channel. `nonce`: 1 for the pair's first. */
export interface ChannelId { readonly payer: Address, readonly payee: Address, readonly nonce: number }
/** What the payer sets aside. `signer` signs the vouchers, `closeSeconds` are the payee's once the payer closes. */
export interface Reservation extends ChannelId { readonly signer: Address, readonly amount: number, readonly expiry: number, readonly closeSeconds: number }
/** The payee may have `amount` of the channel in all. */
export interface Voucher extends ChannelId { readonly amount: number }
export interface SignedVoucher extends Voucher { readonly signature: Signature }

const RESERVATION = [
  ['payer', 'address'], ['payee', 'address'], ['signer', 'address'], ['amount', 'uint64'], ['nonce', 'uint64'], ['expiry', 'uint64'], ['closeSeconds', 'uint32']
] as const satisfies StructType
const VOUCHER = [['payer', 'address'], ['payee', 'address'], ['nonce', 'uint64'], ['amount', 'uint64']] as const satisfies StructType
const END = [['payer', 'address'], ['payee', 'address'], ['nonce', 'uint64']] as const satisfies StructType
const RESERVATION_TYPE_HASH = typeHashOf(encodeType('Reservation', RESERVATION))
const VOUCHER_TYPE_HASH = typeHashOf(encodeType('Voucher', VOUCHER))
const END_TYPE_HASHES = { StartClose: typeHashOf(encodeType('StartClose', END)), Close: typeHashOf(encodeType('Close', END)) } as const

/** A voucher as it travels. */
export const signedVoucherShape = z.strictObject({ payer: addressShape, payee: addressShape, nonce: uintShape.min(1), amount: amountShape.min(1), signature: signatureShape })

/** The digest that the payer signs. */
export function reservationDigest (domain: Domain, reservation: Reservation): Hash {
  return typedDigest(domain, hashStruct(RESERVATION_TYPE_HASH, RESERVATION, reservation))
}

/** The digest that the channel's signer signs. */
export function voucherDigest (domain: Domain, voucher: Voucher): Hash {
  return typedDigest(domain, hashStruct(VOUCHER_TYPE_HASH, VOUCHER, voucher))
}

/** The digest by which the payer starts to close, or the payee closes. */
export function channelEndDigest (domain: Domain, word: keyof typeof END_TYPE_HASHES, channel: ChannelId): Hash {
  return typedDigest(domain, hashStruct(END_TYPE_HASHES[word], END, channel))
}
