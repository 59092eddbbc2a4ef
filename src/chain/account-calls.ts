import type { Address, Signature } from '../wire/shapes.ts'
import { fromAmount } from './amounts.ts'
import type { ContractCall } from './contract-call.ts'
import { encodeCall } from './encode-call.ts'
import { toLegacySignature } from './signing.ts'

/** What an account does with its own money and bond. Amounts are nLILY. */

/** Moves tokens of the sender to another holder. */
export function transferCall (to: Address, amount: number): ContractCall {
  return encodeCall('token', 'transfer', [to, fromAmount(amount)])
}

/** Lets `spender` take tokens of the sender. Not needed for deposits: see Chain.depositCall. */
export function approveCall (spender: Address, amount: number): ContractCall {
  return encodeCall('token', 'approve', [spender, fromAmount(amount)])
}

/** Moves tokens of the sender, which it has approved, into the vault account `to`. */
export function depositApprovedCall (to: Address, amount: number): ContractCall {
  return encodeCall('vault', 'deposit', [to, fromAmount(amount)])
}

/** Moves `owner`'s tokens into its vault account by its ERC-2612 permit over exactly `amount`; anyone may send it. */
export function depositForCall (options: { owner: Address, amount: number, deadline: number, signature: Signature }): ContractCall {
  const { v, r, s } = toLegacySignature(options.signature)
  return encodeCall('vault', 'depositFor', [options.owner, fromAmount(options.amount), fromAmount(options.deadline), v, r, s])
}

/** Takes free money of the sender out of the vault. */
export function withdrawCall (to: Address, amount: number): ContractCall {
  return encodeCall('vault', 'withdraw', [to, fromAmount(amount)])
}

/** Turns free money of the sender into bond. */
export function addBondCall (amount: number): ContractCall {
  return encodeCall('vault', 'addBond', [fromAmount(amount)])
}

/** Begins to free bond of the sender; finishUnbondCall after the deployment's unbondSeconds ends it. */
export function startUnbondCall (amount: number): ContractCall {
  return encodeCall('vault', 'startUnbond', [fromAmount(amount)])
}

/** Frees what was unbonding long enough. */
export function finishUnbondCall (): ContractCall {
  return encodeCall('vault', 'finishUnbond', [])
}

/** Makes the sender, which must have the minimum bond, a mediator. */
export function registerMediatorCall (): ContractCall {
  return encodeCall('court', 'register', [])
}

/** Ends that: the sender is not drawn any more. */
export function retireMediatorCall (): ContractCall {
  return encodeCall('court', 'retire', [])
}
