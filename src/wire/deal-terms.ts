import { concat, encodeAbiParameters, keccak256, zeroAddress, zeroHash } from 'viem'
import { z } from 'zod'
import { addressShape, amountShape, hashShape, signatureShape, uintShape, type Address, type Hash } from './shapes.ts'
import { encodeType, hashStruct, typedDigest, typeHashOf, type Domain, type StructType } from './typed-data.ts'

/** protocol/deal.md. The EIP-712 structs that both parties and the contracts agree on; times are unix seconds, money nLILY. */

/** The lane of every batched deal: `open` refuses it (protocol/batches.md). */
export const BATCHED_LANE = 2 ** 32 - 1

export const dealCoreShape = z.strictObject({
  creator: addressShape,
  provider: addressShape,
  /** Who earns `fee`: the solver whose match this is; the zero address: the pool. */
  feeTo: addressShape,
  price: amountShape,
  fee: amountShape,
  collateral: amountShape,
  /** Held from the creator beside price and fee (audit fee and the like), returned when unused. */
  reserve: amountShape,
  jobNumber: uintShape,
  attempt: uintShape.max(7),
  /** The provider's reusable slot for the deal record on chain. */
  lane: uintShape.max(2 ** 32 - 1),
  openBy: uintShape
})
export type DealCore = z.output<typeof dealCoreShape>

export const dealRestShape = z.strictObject({
  jobOfferId: hashShape,
  resourceOfferId: hashShape,
  solutionId: hashShape,
  /** 0 none, 1 receipt, 2 audit, 3 replicate, 4 compare. */
  verification: uintShape.max(4),
  auditBp: uintShape.max(10_000),
  mediatorRoot: hashShape,
  creatorSaltHash: hashShape,
  providerSaltHash: hashShape,
  startBy: uintShape,
  submitSeconds: uintShape.max(2 ** 32 - 1),
  judgeSeconds: uintShape.max(2 ** 32 - 1),
  challengeSeconds: uintShape.max(2 ** 32 - 1),
  claimFee: amountShape,
  auditFee: amountShape,
  /** Hash of the network parameters both parties hold. */
  parameters: hashShape,
  /** Root of the payees beside provider and solver (royalties, pool); zero: none. */
  linesRoot: hashShape,
  /** Hash of the price certificates that the class price was taken from; zero: the reference price. */
  certificateSet: hashShape,
  /** X25519 keys for sealed inputs and outputs; zero: not sealed. */
  creatorKey: hashShape,
  providerKey: hashShape,
  /** Receipts and accepts results for a creator that cannot be online; the zero address: none. */
  watcher: addressShape,
  /** Providers that run the job and how many must agree; 0: one provider. */
  replicas: uintShape.max(16),
  quorum: uintShape.max(16),
  /** Relative difference within which results agree, in millionths. */
  tolerancePpm: uintShape.max(1_000_000),
  /** 0: deterministic, one re-execution decides; 1: only mediators of one hardware class can tell. */
  tier: uintShape.max(1),
  /** Mediators whose verdicts must agree; 0: one. */
  verdicts: uintShape.max(16),
  /** keccak256 of the hardware class's name; zero: none. */
  hardwareClass: hashShape,
  /** Time for an appeal after a verdict; 0: none. */
  appealSeconds: uintShape.max(2 ** 32 - 1)
})
export type DealRest = z.output<typeof dealRestShape>

/** What a plain deal leaves at nothing: parts whose behaviour comes with later versions. */
export const PLAIN_REST = {
  linesRoot: zeroHash, certificateSet: zeroHash, creatorKey: zeroHash, providerKey: zeroHash, watcher: zeroAddress, replicas: 0, quorum: 0, tolerancePpm: 0, tier: 0, verdicts: 0, hardwareClass: zeroHash, appealSeconds: 0
} satisfies Partial<DealRest>

export const dealTermsShape = z.strictObject({ core: dealCoreShape, rest: dealRestShape })
export type DealTerms = z.output<typeof dealTermsShape>

export const consentShape = z.strictObject({ terms: dealTermsShape, creatorSignature: signatureShape, providerSignature: signatureShape })
/** A deal both parties signed: all that anyone needs to open it on chain. */
export type Consent = z.output<typeof consentShape>

const CORE_TYPE = [
  ['creator', 'address'], ['provider', 'address'], ['feeTo', 'address'], ['price', 'uint64'], ['fee', 'uint64'], ['collateral', 'uint64'],
  ['reserve', 'uint64'], ['jobNumber', 'uint64'], ['attempt', 'uint8'], ['lane', 'uint32'], ['openBy', 'uint64']
] as const satisfies StructType
const REST_TYPE = [
  ['jobOfferId', 'bytes32'], ['resourceOfferId', 'bytes32'], ['solutionId', 'bytes32'], ['verification', 'uint8'], ['auditBp', 'uint16'],
  ['mediatorRoot', 'bytes32'], ['creatorSaltHash', 'bytes32'], ['providerSaltHash', 'bytes32'], ['startBy', 'uint64'], ['submitSeconds', 'uint32'],
  ['judgeSeconds', 'uint32'], ['challengeSeconds', 'uint32'], ['claimFee', 'uint64'], ['auditFee', 'uint64'], ['parameters', 'bytes32'],
  ['linesRoot', 'bytes32'], ['certificateSet', 'bytes32'], ['creatorKey', 'bytes32'], ['providerKey', 'bytes32'],
  ['watcher', 'address'], ['replicas', 'uint8'], ['quorum', 'uint8'], ['tolerancePpm', 'uint32'], ['tier', 'uint8'], ['verdicts', 'uint8'], ['hardwareClass', 'bytes32'], ['appealSeconds', 'uint32']
] as const satisfies StructType

const CORE_TYPE_STRING = encodeType('DealCore', CORE_TYPE)
const REST_TYPE_STRING = encodeType('DealRest', REST_TYPE)
const CORE_TYPE_HASH = typeHashOf(CORE_TYPE_STRING)
const REST_TYPE_HASH = typeHashOf(REST_TYPE_STRING)
const TERMS_TYPE_HASH = typeHashOf(`DealTerms(DealCore core,DealRest rest)${CORE_TYPE_STRING}${REST_TYPE_STRING}`)

/** hashStruct(DealRest): all that the happy path on chain sees of the rest. */
export function dealRestHash (rest: DealRest): Hash {
  return hashStruct(REST_TYPE_HASH, REST_TYPE, rest)
}

/** The digest that creator and provider sign. */
export function dealTermsDigest (domain: Domain, terms: DealTerms): Hash {
  return dealDigest(domain, terms.core, dealRestHash(terms.rest))
}

/** The same from what the happy path carries. */
export function dealDigest (domain: Domain, core: DealCore, restHash: Hash): Hash {
  return typedDigest(domain, keccak256(concat([TERMS_TYPE_HASH, hashStruct(CORE_TYPE_HASH, CORE_TYPE, core), restHash])))
}

/** keccak256(abi.encode(chainId, market, creator, jobNumber, attempt)): one deal per attempt of a job, over all paths. */
export function dealIdOf (domain: Domain, creator: Address, jobNumber: number, attempt: number): Hash {
  return keccak256(encodeAbiParameters(
    [{ type: 'uint256' }, { type: 'address' }, { type: 'address' }, { type: 'uint64' }, { type: 'uint8' }],
    [BigInt(domain.chainId), domain.market, creator, BigInt(jobNumber), attempt]
  ))
}
