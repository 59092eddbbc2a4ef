import { bytesToHex, concat, hexToBytes, keccak256, numberToHex, zeroHash } from 'viem'
import { z } from 'zod'
import { decodeCbor, encodeCbor } from './cbor.ts'
import { parseShape, uintShape, type Address, type Hash, type Signature } from './shapes.ts'
import { encodeType, hashStruct, typedDigest, typeHashOf, type Domain } from './typed-data.ts'

/** protocol/auction.md. What solvers say in one epoch. No message carries a score: whoever wants one computes it. */

/** Largest encoded commit or reveal: a solution and its envelope. */
export const MAX_AUCTION_MESSAGE_BYTES = 65_536
/** Largest encoded evidence: a reveal and a commit. */
export const MAX_EVIDENCE_BYTES = 66_048

/** The salt of a posting of the fall-back phase, which has no commit. */
export const FALLBACK_SALT: Hash = zeroHash

export interface AuctionCommit { readonly epoch: number, readonly solver: Address, readonly commitment: Hash, readonly signature: Signature }
export interface AuctionReveal { readonly epoch: number, readonly solver: Address, readonly solution: Uint8Array, readonly salt: Hash, readonly signature: Signature }
export type AuctionMessage = { type: 'commit', commit: AuctionCommit } | { type: 'reveal', reveal: AuctionReveal }
/** What proves to another node that a solver proposed this. A posting of the fall-back phase has no commit. */
export interface Evidence { readonly commit?: AuctionCommit, readonly reveal: AuctionReveal }

const COMMIT_TYPE = [['epoch', 'uint64'], ['solver', 'address'], ['commitment', 'bytes32']] as const
const REVEAL_TYPE = [['epoch', 'uint64'], ['solver', 'address'], ['solutionId', 'bytes32'], ['salt', 'bytes32']] as const
const COMMIT_TYPE_HASH = typeHashOf(encodeType('AuctionCommit', COMMIT_TYPE))
const REVEAL_TYPE_HASH = typeHashOf(encodeType('AuctionReveal', REVEAL_TYPE))

const bytesOf = (length: number): z.ZodType<Uint8Array> => z.instanceof(Uint8Array).refine((bytes) => bytes.length === length, `expected ${length} bytes`)
const commitShape = z.tuple([z.literal(1), z.literal(1), uintShape, bytesOf(20), bytesOf(32), bytesOf(64)])
const revealShape = z.tuple([z.literal(1), z.literal(2), uintShape, bytesOf(20), z.instanceof(Uint8Array), bytesOf(32), bytesOf(64)])
const messageShape = z.union([commitShape, revealShape])
const evidenceShape = z.tuple([z.union([commitShape, z.null()]), revealShape])

/** keccak256 of the canonical solution. */
export function solutionIdOf (solution: Uint8Array): Hash {
  return keccak256(solution)
}

/** keccak256(solutionId || salt || solver): binds the solver to a solution without showing it. */
export function commitmentOf (solutionId: Hash, salt: Hash, solver: Address): Hash {
  return keccak256(concat([solutionId, salt, solver]))
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
export function revealDigest (domain: Domain, reveal: Omit<AuctionReveal, 'signature'>): Hash {
  return typedDigest(domain, hashStruct(REVEAL_TYPE_HASH, REVEAL_TYPE, { ...reveal, solutionId: solutionIdOf(reveal.solution) }))
}

/** CBOR [1, 1, epoch, solver, commitment, signature] or [1, 2, epoch, solver, solution, salt, signature]. */
export function encodeAuctionMessage (message: AuctionMessage): Uint8Array {
  return encodeCbor(message.type === 'commit' ? commitItems(message.commit) : revealItems(message.reveal))
}

/** Decodes structure only; signatures and phases are `match/competition.ts`'s. Throws WireError. */
export function decodeAuctionMessage (bytes: Uint8Array): AuctionMessage {
  const items = parseShape(messageShape, decodeCbor(bytes, MAX_AUCTION_MESSAGE_BYTES), 'auction message')
  return items[1] === 1 ? { type: 'commit', commit: commitOf(items) } : { type: 'reveal', reveal: revealOf(items) }
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

function commitItems (commit: AuctionCommit): unknown[] {
  return [1, 1, commit.epoch, hexToBytes(commit.solver), hexToBytes(commit.commitment), hexToBytes(commit.signature)]
}

function revealItems (reveal: AuctionReveal): unknown[] {
  return [1, 2, reveal.epoch, hexToBytes(reveal.solver), reveal.solution, hexToBytes(reveal.salt), hexToBytes(reveal.signature)]
}

function commitOf ([, , epoch, solver, commitment, signature]: z.output<typeof commitShape>): AuctionCommit {
  return { epoch, solver: bytesToHex(solver), commitment: bytesToHex(commitment), signature: bytesToHex(signature) }
}

function revealOf ([, , epoch, solver, solution, salt, signature]: z.output<typeof revealShape>): AuctionReveal {
  return { epoch, solver: bytesToHex(solver), solution, salt: bytesToHex(salt), signature: bytesToHex(signature) }
}
