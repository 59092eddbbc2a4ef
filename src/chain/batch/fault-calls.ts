import type { Statement } from '../../wire/auction.ts'
import type { BrokenPromise } from '../../wire/broken-promise.ts'
import { dealRestHash, type Consent, type DealTerms } from '../../wire/deal-terms.ts'
import type { Address, Signature } from '../../wire/shapes.ts'
import { fromAmount } from '../amounts.ts'
import type { ContractCall } from '../contract-call.ts'
import { coreOf } from '../deal-structs.ts'
import { encodeCall } from '../encode-call.ts'
import { toContractSignature } from '../signing.ts'
import type { Batch, Opening } from './layout.ts'

/** protocol/batches.md, Solver's faults: who accuses, who answers, and what ends an accusation that nobody answered. */

/** Says that `account`, an owner of the leaf, signed no terms for it; the signature is the account's over Disown. Locks its stake. */
export function disownCall (batch: Batch, leaf: number, account: Address, signature: Signature): ContractCall {
  return encodeCall('batches', 'disown', [batch, BigInt(leaf), account, toContractSignature(signature)])
}

/** Shows that both signed a leaf which one of them disowned. */
export function answerDisownCall (opening: Opening, terms: DealTerms, creatorSignature: Signature, providerSignature: Signature): ContractCall {
  return encodeCall('batches', 'answerDisown', [opening, coreOf(terms), dealRestHash(terms.rest), toContractSignature(creatorSignature), toContractSignature(providerSignature)])
}

/** Releases a disowned leaf that nobody answered for. */
export function concludeDisownCall (batch: Batch, leaf: number): ContractCall {
  return encodeCall('batches', 'concludeDisown', [batch, BigInt(leaf)])
}

/** Says that the solver of these terms promised to open them and did not; `promise` is its signature. Locks the sender's stake. */
export function accusePromiseCall ({ terms, creatorSignature, providerSignature }: Consent, promise: BrokenPromise['signature']): ContractCall {
  const { feeTo, openBy } = terms.core
  return encodeCall('batches', 'accusePromise', [
    feeTo, fromAmount(openBy), toContractSignature(promise), coreOf(terms), dealRestHash(terms.rest), toContractSignature(creatorSignature), toContractSignature(providerSignature)
  ])
}

/** Shows the promised deal as a leaf of a batch that was committed in time, and void there. */
export function answerPromiseCall (opening: Opening, terms: DealTerms): ContractCall {
  return encodeCall('batches', 'answerPromise', [fromAmount(terms.core.openBy), opening, coreOf(terms), dealRestHash(terms.rest)])
}

/** Slashes a solver that signed two different reveals for one epoch. */
export function slashRevealsCall (solver: Address, epoch: number, [first, second]: readonly [Statement, Statement]): ContractCall {
  const [one, other] = [first, second].map(({ solutionId, certificateId, salt }) => ({ solutionId, certificateId, salt })) as [Omit<Statement, 'signature'>, Omit<Statement, 'signature'>]
  return encodeCall('batches', 'slashReveals', [solver, fromAmount(epoch), [one, other], [toContractSignature(first.signature), toContractSignature(second.signature)]])
}

/** Slashes the solver of a promise that nobody answered for. */
export function concludePromiseCall (terms: DealTerms): ContractCall {
  return encodeCall('batches', 'concludePromise', [terms.core.feeTo, fromAmount(terms.core.openBy), coreOf(terms), dealRestHash(terms.rest)])
}
