import type { Order } from '../../wire/order.ts'
import type { Session } from '../../wire/session.ts'
import type { DealTerms } from '../../wire/deal-terms.ts'
import { dealRestHash } from '../../wire/deal-terms.ts'
import type { Hash, Signature } from '../../wire/shapes.ts'
import type { Line } from '../../wire/statement.ts'
import { fromAmount } from '../amounts.ts'
import type { ContractCall } from '../contract-call.ts'
import { coreOf } from '../deal-structs.ts'
import { encodeCall } from '../encode-call.ts'
import { toContractSignature } from '../signing.ts'
import type { Batch, BatchLayout, Opening } from './layout.ts'

/** A creator's statement as `settle` takes it; `owner`: its index among the batch's owners. */
export interface SignedStatement { readonly owner: number, readonly leaves: bigint, readonly lines: readonly Line[], readonly signature: Signature }

/** Puts a session on chain; the signature is the account's, 65 bytes or what its ERC-1271 contract takes. */
export function authoriseCall (session: Session, signature: Hash): ContractCall {
  return encodeCall('vault', 'authorise', [{
    ...session, cap: BigInt(session.cap), windowSeconds: Number(session.windowSeconds), notBefore: BigInt(session.notBefore), expiry: BigInt(session.expiry), nonce: BigInt(session.nonce)
  }, signature])
}

/** What an account does with its money, sent by anyone; the signature as for `authoriseCall`. */
export function orderCall (order: Order, signature: Hash): ContractCall {
  return encodeCall('vault', 'order', [{ ...order, kind: Number(order.kind), number: Number(order.number), amount: BigInt(order.amount), nonce: BigInt(order.nonce) }, signature])
}

/** Locks a batch's money; the sender is its solver. `expiry` in unix seconds. */
export function commitCall (slot: number, expiry: number, { owners, rows, tree }: BatchLayout): ContractCall {
  return encodeCall('batches', 'commit', [{ slot, expiry: fromAmount(expiry), root: tree.root, owners, rows }])
}

/** Pays what the statements name; they go in the order of their owners. */
export function settleBatchCall (batch: Batch, statements: readonly SignedStatement[]): ContractCall {
  const ordered = [...statements].sort((left, right) => left.owner - right.owner)
  return encodeCall('batches', 'settle', [
    batch,
    ordered.map(({ owner, leaves, signature }) => ({ owner, leaves, signature: toContractSignature(signature) })),
    ordered.flatMap(({ lines }, statement) => lines.map(({ payee, amount }) => ({ statement, payee, amount: fromAmount(amount) })))
  ])
}

/** Gives back what nobody resolved until the batch's expiry; bit i of `leaves`: leaf i. */
export function expireCall (batch: Batch, leaves: bigint): ContractCall {
  return encodeCall('batches', 'expire', [batch, leaves])
}

/** Makes a leaf an open deal. */
export function claimCall (opening: Opening, terms: DealTerms, creatorSignature: Signature, providerSignature: Signature): ContractCall {
  return encodeCall('batches', 'claim', [opening, coreOf(terms), dealRestHash(terms.rest), toContractSignature(creatorSignature), toContractSignature(providerSignature)])
}

/** Several calls of the contract Batches in one transaction, in this order: a solver settles one batch and commits the next. */
export function togetherCall (calls: readonly ContractCall[]): ContractCall {
  return encodeCall('batches', 'multicall', [calls.map(({ data }) => data)])
}
