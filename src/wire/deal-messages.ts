import { concat, encodeAbiParameters, keccak256, stringToHex } from 'viem'
import type { Address, Hash } from './shapes.ts'
import { encodeType, hashStruct, typedDigest, typeHashOf, type Domain, type StructType, type StructValue } from './typed-data.ts'

/** protocol/deal.md. The small signed statements of one deal, each an EIP-712 struct that the contracts check. */

const START_RECEIPT = [['dealId', 'bytes32'], ['inputRoot', 'bytes32'], ['sealedRoot', 'bytes32'], ['startedAt', 'uint64']] as const satisfies StructType
const RESULT_COMMIT = [['dealId', 'bytes32'], ['manifest', 'bytes32'], ['outputRoot', 'bytes32']] as const satisfies StructType
const RESULT_RECEIPT = [['dealId', 'bytes32'], ['manifest', 'bytes32']] as const satisfies StructType
const ACCEPTANCE = [['dealId', 'bytes32'], ['manifest', 'bytes32']] as const satisfies StructType
const CHALLENGE = [['dealId', 'bytes32'], ['manifest', 'bytes32'], ['kind', 'uint8']] as const satisfies StructType
const VERDICT = [['dealId', 'bytes32'], ['manifest', 'bytes32'], ['outcome', 'uint8'], ['evidence', 'bytes32']] as const satisfies StructType
const NULLIFY = [['jobNumber', 'uint64']] as const satisfies StructType
const APPEAL = [['dealId', 'bytes32']] as const satisfies StructType
const OPENING_PROMISE = [['dealId', 'bytes32'], ['terms', 'bytes32'], ['solver', 'address'], ['openBy', 'uint64']] as const satisfies StructType

export type StartReceipt = StructValue<typeof START_RECEIPT>
export type ResultCommit = StructValue<typeof RESULT_COMMIT>
export type Acceptance = StructValue<typeof ACCEPTANCE>
export type Challenge = StructValue<typeof CHALLENGE>
export type OpeningPromise = StructValue<typeof OPENING_PROMISE>
export type Verdict = StructValue<typeof VERDICT>

/** Verdict outcomes by their number on chain. */
export const OUTCOMES = { correct: 1, wrong: 2, inconclusive: 3 } as const
/** Challenge kinds by their number on chain. */
export const CHALLENGE_KINDS = { wrong: 1, unavailable: 2, misSealed: 3 } as const

/** The type hash of OpeningPromise: it also begins what an accusation's key hashes. */
export const OPENING_PROMISE_TYPE_HASH = typeHashOf(encodeType('OpeningPromise', OPENING_PROMISE))

const digestOf = <T extends StructType>(name: string, type: T): (domain: Domain, value: StructValue<T>) => Hash => {
  const typeHash = typeHashOf(encodeType(name, type))
  return (domain, value) => typedDigest(domain, hashStruct(typeHash, type, value))
}

/** Signed by both parties: the inputs are there and the clock runs. `sealedRoot`: what travelled where they are sealed, else zero. */
export const startReceiptDigest = digestOf('StartReceipt', START_RECEIPT)
/** Signed by the provider: `manifest` is the sha2-256 of the result manifest, `outputRoot` the digest of the output CID. */
export const resultCommitDigest = digestOf('ResultCommit', RESULT_COMMIT)
/** Signed by the creator before the provider shows its salt: this manifest arrived, and the audit draw is over it. */
export const resultReceiptDigest = digestOf('ResultReceipt', RESULT_RECEIPT)
/** Signed by the creator: pay. */
export const acceptanceDigest = digestOf('Acceptance', ACCEPTANCE)
/** Signed by the creator: a mediator shall look. */
export const challengeDigest = digestOf('Challenge', CHALLENGE)
/** Signed by the drawn mediator. */
export const verdictDigest = digestOf('Verdict', VERDICT)
/** Signed by the creator: no attempt of this job that is not open yet may be opened. */
export const nullifyDigest = digestOf('Nullify', NULLIFY)
/** Signed by a party: the ruling on this deal shall be judged again. */
export const appealDigest = digestOf('Appeal', APPEAL)
/** Signed by the solver after both consents: it opens the deal of these terms (their EIP-712 digest) until `openBy`. One not kept costs bond. */
export const openingPromiseDigest = digestOf('OpeningPromise', OPENING_PROMISE)

/** keccak256 of a 32-byte salt, as the terms carry it. */
export function saltHash (salt: Hash): Hash {
  return keccak256(salt)
}

/** A mediator list as terms bind it: who may be drawn, with which weight. */
export interface MediatorList { mediators: readonly Address[], weights: readonly number[] }

/** keccak256(abi.encode(address[], uint64[])). */
export function mediatorRoot (list: MediatorList): Hash {
  return keccak256(encodeAbiParameters([{ type: 'address[]' }, { type: 'uint64[]' }], [[...list.mediators], list.weights.map(BigInt)]))
}

/** seed = keccak256("lilynode/draw/1" || creatorSalt || providerSalt || dealId). Neither party alone chooses it. */
export function drawSeed (creatorSalt: Hash, providerSalt: Hash, dealId: Hash): Hash {
  return keccak256(concat([stringToHex('lilynode/draw/1'), creatorSalt, providerSalt, dealId]))
}

/** The stake-weighted draw: the first mediator whose cumulated weight exceeds seed mod total. Undefined for an empty list. */
export function drawMediator (seed: Hash, list: MediatorList): Address | undefined {
  const total = list.weights.reduce((sum, weight) => sum + BigInt(weight), 0n)
  if (total === 0n) return undefined
  let left = BigInt(seed) % total
  for (const [index, weight] of list.weights.entries()) {
    if (left < BigInt(weight)) return list.mediators[index]
    left -= BigInt(weight)
  }
  return undefined
}

/** Whether an audit of probability `auditBp` / 10,000 falls on this deal: a draw independent of the mediator's. */
export function isAudited (seed: Hash, auditBp: number): boolean {
  return BigInt(keccak256(concat([stringToHex('lilynode/audit/1'), seed]))) % 10_000n < BigInt(auditBp)
}
