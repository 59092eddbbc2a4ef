import { bytesToHex, hexToBytes } from 'viem'
import { z } from 'zod'
import { OPENING_PROMISE_TYPE_HASH, openingPromiseDigest } from './deal-messages.ts'
import { dealCoreShape, dealDigest, dealIdOf, dealTermsDigest, type DealCore, type DealTerms } from './deal-terms.ts'
import { parseShape, uintShape, type Hash, type Signature } from './shapes.ts'
import { recoverSigner } from './signature.ts'
import { hashStruct, type Domain, type StructType } from './typed-data.ts'

/** protocol/auction.md, Promises and cool-down. A solver's signed promise to open a deal that, by the sender's word, it did not keep: the chain tells. */
export interface BrokenPromise { readonly core: DealCore, readonly restHash: Hash, readonly signature: Signature }

const bytesOf = (length: number): z.ZodType<Uint8Array> => z.instanceof(Uint8Array).refine((bytes) => bytes.length === length, `expected ${length} bytes`)

/** CBOR items [1, 4, DealCore in its order, restHash, signature]. */
export const promiseShape = z.tuple([
  z.literal(1), z.literal(4), bytesOf(20), bytesOf(20), bytesOf(20), uintShape, uintShape, uintShape, uintShape, uintShape, uintShape, uintShape, uintShape, bytesOf(32), bytesOf(64)
])

export function promiseItems ({ core, restHash, signature }: BrokenPromise): unknown[] {
  const { creator, provider, feeTo, price, fee, collateral, reserve, jobNumber, attempt, lane, openBy } = core
  return [1, 4, hexToBytes(creator), hexToBytes(provider), hexToBytes(feeTo), price, fee, collateral, reserve, jobNumber, attempt, lane, openBy, hexToBytes(restHash), hexToBytes(signature)]
}

/** Throws WireError WIRE_INVALID for a core out of its bounds. */
export function promiseOf ([, , creator, provider, feeTo, price, fee, collateral, reserve, jobNumber, attempt, lane, openBy, restHash, signature]: z.output<typeof promiseShape>): BrokenPromise {
  const core = { creator: bytesToHex(creator), provider: bytesToHex(provider), feeTo: bytesToHex(feeTo), price, fee, collateral, reserve, jobNumber, attempt, lane, openBy }
  return { core: parseShape(dealCoreShape, core, 'core of a promise'), restHash: bytesToHex(restHash), signature: bytesToHex(signature) }
}

/** The digest of the solver's promise to open the deal of these terms until their `openBy`. */
export function promiseDigest (domain: Domain, core: DealCore, restHash: Hash): Hash {
  return openingPromiseDigest(domain, { dealId: dealIdOf(domain, core.creator, core.jobNumber, core.attempt), terms: dealDigest(domain, core, restHash), solver: core.feeTo, openBy: core.openBy })
}

/** Whether the solver that earns the fee signed it. */
export function isPromiseSigned (domain: Domain, { core, restHash, signature }: BrokenPromise): boolean {
  return recoverSigner(promiseDigest(domain, core, restHash), signature) === core.feeTo
}

const KEY = [['solver', 'address'], ['openBy', 'uint64'], ['terms', 'bytes32']] as const satisfies StructType

/** The key on chain of an accusation that the solver of these terms did not keep its promise (protocol/batches.md, Solver's faults). */
export function promiseKey (domain: Domain, terms: DealTerms): Hash {
  const { feeTo: solver, openBy } = terms.core
  return hashStruct(OPENING_PROMISE_TYPE_HASH, KEY, { solver, openBy, terms: dealTermsDigest(domain, terms) })
}
