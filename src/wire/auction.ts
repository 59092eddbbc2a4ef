import { bytesToHex, concat, hexToBytes, keccak256, numberToHex, zeroHash } from 'viem'
import { z } from 'zod'
import { decodeCbor, encodeCbor } from './cbor.ts'
import { WireError } from './errors.ts'
import { parseShape, uintShape, type Address, type Hash, type Signature } from './shapes.ts'
import { encodeType, hashStruct, typedDigest, typeHashOf, type Domain } from './typed-data.ts'

/** protocol/auction.md. What solvers say in one epoch. No message carries a score: whoever wants one computes it. */

/** One job on one offer, by record id. */
export interface Match { readonly job: Hash, readonly offer: Hash }
/** A solver's proposal for an epoch. `engine` is a label for people, [a-z0-9-], at most 32. */
export interface Solution { readonly epoch: number, readonly engine: string, readonly matches: readonly Match[] }

/** Largest encoded solution: 32 bytes a job and 36 an offer: 1,990 jobs on 20 offers, 940 on as many. */
export const MAX_SOLUTION_BYTES = 65_000
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
const jobsShape = z.instanceof(Uint8Array).refine((bytes) => bytes.length > 0 && bytes.length % 32 === 0, 'expected 32 bytes per job')
const engineShape = z.string().regex(/^[a-z0-9-]{1,32}$/)
const solutionShape = z.tuple([z.literal(1), uintShape, engineShape, z.array(z.tuple([bytesOf(32), jobsShape])).max(2048)])
const commitShape = z.tuple([z.literal(1), z.literal(1), uintShape, bytesOf(20), bytesOf(32), bytesOf(64)])
const revealShape = z.tuple([z.literal(1), z.literal(2), uintShape, bytesOf(20), z.instanceof(Uint8Array), bytesOf(32), bytesOf(64)])
const messageShape = z.union([commitShape, revealShape])
const evidenceShape = z.tuple([z.union([commitShape, z.null()]), revealShape])

/**
 * Canonical CBOR [1, epoch, engine, [[offer, job || job ...] ...]]: offers ascending, jobs of an offer ascending, so the order of
 * `matches` means nothing. Throws WireError WIRE_TOO_LARGE, WIRE_INVALID for a pair that occurs twice or a bad engine name.
 */
export function encodeSolution (solution: Solution): Uint8Array {
  const jobsOf = new Map<Hash, Set<Hash>>()
  for (const { job, offer } of solution.matches) {
    const jobs = jobsOf.get(offer) ?? new Set()
    if (jobs.has(job)) throw new WireError('WIRE_INVALID', 'a solution names a pair twice', { data: { job, offer } })
    jobsOf.set(offer, jobs.add(job))
  }
  const offers = [...jobsOf].sort(([left], [right]) => left < right ? -1 : 1)
  const groups = offers.map(([offer, jobs]) => [hexToBytes(offer), hexToBytes(concat([...jobs].sort()))])
  const bytes = encodeCbor([1, parseShape(uintShape, solution.epoch, 'epoch'), parseShape(engineShape, solution.engine, 'engine'), groups])
  if (bytes.length > MAX_SOLUTION_BYTES) throw new WireError('WIRE_TOO_LARGE', `solution of ${bytes.length} bytes, limit ${MAX_SOLUTION_BYTES}`, { data: { bytes: bytes.length } })
  return bytes
}

/** Decodes a solution; accepts only canonical bytes. Matches come ordered by offer, then job. Throws WireError. */
export function decodeSolution (bytes: Uint8Array): Solution {
  const [, epoch, engine, groups] = parseShape(solutionShape, decodeCbor(bytes, MAX_SOLUTION_BYTES), 'solution')
  const matches: Match[] = []
  let lastOffer = ''
  for (const [offerBytes, jobBytes] of groups) {
    const offer = bytesToHex(offerBytes)
    assertAscending(lastOffer, offer)
    lastOffer = offer
    let lastJob = ''
    for (let at = 0; at < jobBytes.length; at += 32) {
      const job = bytesToHex(jobBytes.subarray(at, at + 32))
      assertAscending(lastJob, job)
      lastJob = job
      matches.push({ job, offer })
    }
  }
  return { epoch, engine, matches }
}

function assertAscending (last: string, next: string): void {
  if (last >= next) throw new WireError('WIRE_NOT_CANONICAL', 'ids of a solution are not in ascending order', { data: { id: next } })
}

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
