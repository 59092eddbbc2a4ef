import { encodeType, hashStruct, typedDigest, typeHashOf, type Domain, type StructType, type StructValue } from './typed-data.ts'
import type { Hash } from './shapes.ts'

/** protocol/batches.md. What an account does with its money in the vault, signed so that anyone may send it. */
const ORDER = [
  ['kind', 'uint8'], ['account', 'address'], ['to', 'address'], ['number', 'uint8'], ['amount', 'uint64'], ['nonce', 'uint64']
] as const satisfies StructType
/** `to` receives a withdrawal; `number` is a session's; `amount` in nLILY; `nonce` counts up from 0 per account. */
export type Order = StructValue<typeof ORDER>

/** Kinds by their number on chain. */
export const ORDER_KINDS = { withdraw: 1, bond: 2, unbond: 3, finishUnbond: 4, sweep: 5, fund: 6 } as const

const ORDER_TYPE_HASH = typeHashOf(encodeType('Order', ORDER))

/** The digest that the account signs. */
export function orderDigest (domain: Domain, order: Order): Hash {
  return typedDigest(domain, hashStruct(ORDER_TYPE_HASH, ORDER, order))
}
