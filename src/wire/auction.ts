import { bytesToHex, concat, hexToBytes, keccak256, numberToHex, zeroHash } from 'viem'
import { z } from 'zod'
import { promiseItems, promiseOf, promiseShape, type BrokenPromise } from './broken-promise.ts'
import { decodeCbor, encodeCbor } from './cbor.ts'
import { parseShape, uintShape, type Address, type Hash, type Signature } from './shapes.ts'
import { encodeType, hashStruct, typedDigest, typeHashOf, type Domain } from './typed-data.ts'

/** protocol/auction.md. What solvers say in one epoch. No message carries a score: whoever wants one computes it. */

/** Largest encoded message: a solution and its envelope. */
export const MAX_AUCTION_MESSAGE_BYTES = 65_536
/** Largest encoded evidence: a reveal and a commit. */
export const MAX_EVIDENCE_BYTES = 66_048
/** Largest certificate: the prices of 1,000 offer classes. */
export const MAX_REVEALED_CERTIFICATE_BYTES = 8192
/** Largest proof of a certificate: the certificate and what was signed. */
export const MAX_PROOF_BYTES = 8704

/** The salt of a posting of the fall-back phase, which has no commit. */
export const FALLBACK_SALT: Hash = zeroHash
/** The certificate id of a reveal without certificate. */
export const NO_CERTIFICATE: Hash = zeroHash

export interface AuctionCommit { readonly epoch: number, readonly solver: Address, readonly commitment: Hash, readonly signature: Signature }
export interface AuctionReveal { readonly epoch: number, readonly solver: Address, readonly solution: Uint8Array, readonly certificateId: Hash, readonly salt: Hash, readonly signature: Signature }
/** A price certificate with what the reveal of its solver signed. */
export interface AuctionCertificate { readonly epoch: number, readonly solver: Address, readonly solutionId: Hash, readonly salt: Hash, readonly signature: Signature, readonly certificate: Uint8Array }
/** What a reveal says: all that its signature covers. */
export interface Statement { readonly epoch: number, readonly solver: Address, readonly solutionId: Hash, readonly certificateId: Hash, readonly salt: Hash, readonly signature: Signature }
export type AuctionMessage = { type: 'commit', commit: AuctionCommit } | { type: 'reveal', reveal: AuctionReveal } | { type: 'certificate', certificate: AuctionCertificate } | { type: 'promise', promise: BrokenPromise }
/** What proves to another node that a solver proposed this. A posting of the fall-back phase has no commit. */
export interface Evidence { readonly commit?: AuctionCommit, readonly reveal: AuctionReveal }
/** What proves to another node that a solver committed to this certificate. */
export interface CertificateProof { readonly commit: AuctionCommit, readonly certificate: AuctionCertificate }

const COMMIT_TYPE = [['epoch', 'uint64'], ['solver', 'address'], ['commitment', 'bytes32']] as const
const REVEAL_TYPE = [['epoch', 'uint64'], ['solver', 'address'], ['solutionId', 'bytes32'], ['certificateId', 'bytes32'], ['salt', 'bytes32']] as const
const COMMIT_TYPE_HASH = typeHashOf(encodeType('AuctionCommit', COMMIT_TYPE))
const REVEAL_TYPE_HASH = typeHashOf(encodeType('AuctionReveal', REVEAL_TYPE))

const bytesOf = (length: number): z.ZodType<Uint8Array> => z.instanceof(Uint8Array).refine((bytes) => bytes.length === length, `expected ${length} bytes`)
const commitShape = z.tuple([z.literal(1), z.literal(1), uintShape, bytesOf(20), bytesOf(32), bytesOf(64)])
const revealShape = z.tuple([z.literal(1), z.literal(2), uintShape, bytesOf(20), z.instanceof(Uint8Array), bytesOf(32), bytesOf(32), bytesOf(64)])
const priceShape = z.instanceof(Uint8Array).refine((bytes) => bytes.length > 0 && bytes.length <= MAX_REVEALED_CERTIFICATE_BYTES, `expected 1 to ${MAX_REVEALED_CERTIFICATE_BYTES} bytes`)
const certificateShape = z.tuple([z.literal(1), z.literal(3), uintShape, bytesOf(20), bytesOf(32), bytesOf(32), bytesOf(64), priceShape])
const messageShape = z.union([commitShape, revealShape, certificateShape, promiseShape])
const proofShape = z.tuple([uintShape, bytesOf(20), bytesOf(32), bytesOf(64), bytesOf(32), bytesOf(32), bytesOf(64), priceShape])
const evidenceShape = z.tuple([z.union([commitShape, z.null()]), revealShape])

/** keccak256 of the canonical solution. */
export function solutionIdOf (solution: Uint8Array): Hash {
  return keccak256(solution)
}

/** keccak256(solver || certificate): solvers that state the same prices have ids of their own, and each counts. */
export function certificateIdOf (solver: Address, certificate: Uint8Array): Hash {
  return keccak256(concat([hexToBytes(solver), certificate]))
}

/** keccak256(solutionId || certificateId || salt || solver): binds the solver to solution and certificate without showing them. */
export function commitmentOf ({ solutionId, certificateId, salt, solver }: Pick<Statement, 'solutionId' | 'certificateId' | 'salt' | 'solver'>): Hash {
  return keccak256(concat([solutionId, certificateId, salt, solver]))
}

/** What a reveal, or the message of its certificate, states. */
export function statementOf (message: AuctionReveal | AuctionCertificate): Statement {
  const { epoch, solver, salt, signature } = message
  return 'solution' in message
    ? { epoch, solver, solutionId: solutionIdOf(message.solution), certificateId: message.certificateId, salt, signature }
    : { epoch, solver, solutionId: message.solutionId, certificateId: certificateIdOf(solver, message.certificate), salt, signature }
}

/** keccak256 of the ids joined in ascending order, as DealTerms pin them; zero for none. */
export function certificateSetOf (ids: readonly Hash[]): Hash {
  return ids.length === 0 ? NO_CERTIFICATE : keccak256(concat([...ids].sort()))
}

/** keccak256(epoch as 8 bytes || solver): among equal scores the lowest wins. */
export function tieKey (epoch: number, solver: Address): Hash {
  return keccak256(concat([numberToHex(epoch, { size: 8 }), solver]))
}

/** The digest that a solver signs with its commit. */
export function commitDigest (domain: Domain, commit: Omit<AuctionCommit, 'signature'>): Hash {
  return typedDigest(domain, hashStruct(COMMIT_TYPE_HASH, COMMIT_TYPE, commit))
}

/** The digest that a solver signs with its reveal, or with a posting of the fall-back phase. */
export function revealDigest (domain: Domain, statement: Omit<Statement, 'signature'>): Hash {
  return typedDigest(domain, hashStruct(REVEAL_TYPE_HASH, REVEAL_TYPE, statement))
}

/** CBOR [1, kind, ...]: 1 commit, 2 reveal, 3 certificate, 4 broken promise. */
export function encodeAuctionMessage (message: AuctionMessage): Uint8Array {
  if (message.type === 'commit') return encodeCbor(commitItems(message.commit))
  if (message.type === 'promise') return encodeCbor(promiseItems(message.promise))
  return encodeCbor(message.type === 'reveal' ? revealItems(message.reveal) : certificateItems(message.certificate))
}

/** Decodes structure only; signatures and phases are `match/competition.ts`'s. Throws WireError. */
export function decodeAuctionMessage (bytes: Uint8Array): AuctionMessage {
  const items = parseShape(messageShape, decodeCbor(bytes, MAX_AUCTION_MESSAGE_BYTES), 'auction message')
  if (items[1] === 1) return { type: 'commit', commit: commitOf(items) }
  if (items[1] === 4) return { type: 'promise', promise: promiseOf(items) }
  return items[1] === 2 ? { type: 'reveal', reveal: revealOf(items) } : { type: 'certificate', certificate: certificateOf(items) }
}

/** CBOR [commit or null, reveal], as consent requests carry it. */
export function encodeEvidence (evidence: Evidence): Uint8Array {
  return encodeCbor([evidence.commit === undefined ? null : commitItems(evidence.commit), revealItems(evidence.reveal)])
}

/** Decodes structure only; `match/evidence.ts` verifies. Throws WireError. */
export function decodeEvidence (bytes: Uint8Array): Evidence {
  const [commit, reveal] = parseShape(evidenceShape, decodeCbor(bytes, MAX_EVIDENCE_BYTES), 'auction evidence')
  return { ...(commit === null ? {} : { commit: commitOf(commit) }), reveal: revealOf(reveal) }
}

/** CBOR [epoch, solver, commitment, signature, solutionId, salt, signature, certificate]. */
export function encodeProof ({ commit, certificate }: CertificateProof): Uint8Array {
  return encodeCbor([commit.epoch, ...[commit.solver, commit.commitment, commit.signature, certificate.solutionId, certificate.salt, certificate.signature].map((hex) => hexToBytes(hex)), certificate.certificate])
}

/** Decodes structure only; `match/competition.ts` verifies. Throws WireError. */
export function decodeProof (bytes: Uint8Array): CertificateProof {
  const [epoch, solverBytes, commitment, committed, solutionId, salt, signature, certificate] = parseShape(proofShape, decodeCbor(bytes, MAX_PROOF_BYTES), 'proof of a certificate')
  const solver = bytesToHex(solverBytes)
  return {
    commit: { epoch, solver, commitment: bytesToHex(commitment), signature: bytesToHex(committed) },
    certificate: { epoch, solver, solutionId: bytesToHex(solutionId), salt: bytesToHex(salt), signature: bytesToHex(signature), certificate }
  }
}

function commitItems (commit: AuctionCommit): unknown[] {
  return [1, 1, commit.epoch, hexToBytes(commit.solver), hexToBytes(commit.commitment), hexToBytes(commit.signature)]
}

function revealItems (reveal: AuctionReveal): unknown[] {
  return [1, 2, reveal.epoch, hexToBytes(reveal.solver), reveal.solution, hexToBytes(reveal.certificateId), hexToBytes(reveal.salt), hexToBytes(reveal.signature)]
}

function commitOf ([, , epoch, solver, commitment, signature]: z.output<typeof commitShape>): AuctionCommit {
  return { epoch, solver: bytesToHex(solver), commitment: bytesToHex(commitment), signature: bytesToHex(signature) }
}

function certificateItems ({ epoch, solver, solutionId, salt, signature, certificate }: AuctionCertificate): unknown[] {
  return [1, 3, epoch, hexToBytes(solver), hexToBytes(solutionId), hexToBytes(salt), hexToBytes(signature), certificate]
}

function certificateOf ([, , epoch, solver, solutionId, salt, signature, certificate]: z.output<typeof certificateShape>): AuctionCertificate {
  return { epoch, solver: bytesToHex(solver), solutionId: bytesToHex(solutionId), salt: bytesToHex(salt), signature: bytesToHex(signature), certificate }
}

function revealOf ([, , epoch, solver, solution, certificateId, salt, signature]: z.output<typeof revealShape>): AuctionReveal {
  return { epoch, solver: bytesToHex(solver), solution, certificateId: bytesToHex(certificateId), salt: bytesToHex(salt), signature: bytesToHex(signature) }
}
