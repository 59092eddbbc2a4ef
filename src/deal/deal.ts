import type { Dispute } from '../chain/dispute.ts'
import type { MediatorList } from '../wire/deal-messages.ts'
import type { DealTerms } from '../wire/deal-terms.ts'
import type { Address, Hash, Signature } from '../wire/shapes.ts'
import type { Line } from '../wire/statement.ts'
import { transition, type DealEvent } from './transitions.ts'
import type { DealState } from './states.ts'

/** A transaction that belongs to a deal. Gas from the receipt; `leaves`: deals of a batch that share it. */
export interface DealTransaction { name: string, hash: Hash, gas: number, from: Address, leaves?: number }

/**
 * Where a deal stands in a batch that the chain shows (protocol/batches.md). Times are unix seconds. `proof` is there once it was checked against
 * the root, `claimedAt` once the leaf is a deal by itself,
 * `answerBy` while an owner's word that it knows of no terms waits for an answer.
 */
export interface DealBatch { id: Hash, leaf: number, committedAt: number, expiry: number, proof?: readonly Hash[], claimedAt?: number, answerBy?: number }

/** The provider's signed result. `manifestBytes` is the document whose sha2-256 is `manifest`. */
export interface DealResult { manifest: Hash, outputRoot: Hash, manifestCid: string, outputsCid: string, manifestBytes: Uint8Array, signature: Signature }

/** A mediator's signed word on the deal's result. `evidence`: the output root that it computed, zero when it could not run the job. */
export interface MediatorVerdict { readonly mediator: Address, readonly outcome: number, readonly evidence: Hash, readonly signature: Signature }

/**
 * One deal as one party journals it. Written to disk before anything in it is announced.
 * Plain data: it survives a `kill -9` and is all that is needed to go on.
 */
export interface Deal {
  readonly dealId: Hash
  readonly role: 'creator' | 'provider'
  state: DealState
  readonly epoch: number
  readonly terms: DealTerms
  readonly mediators: MediatorList
  readonly jobRecord: Uint8Array
  /** Places of the devices that serve the job's GPUs in the provider's unit. */
  readonly devices: readonly number[]
  /** The other party's node. */
  readonly peer: string
  readonly solverPeer?: string
  readonly ownSalt: Hash
  otherSalt?: Hash
  creatorSignature?: Signature
  providerSignature?: Signature
  /** The solver's, under its promise to open the deal. */
  promise?: Signature
  /** The batch, committed in time, in which the deal's leaf locked nothing: its solver kept its promise as far as it could. */
  voidIn?: Hash
  /** What became of this node's word that the promise was not kept; `answerBy`: unix seconds. */
  accusation?: { answerBy: number, end?: 'answered' | 'slashed' }
  start?: { inputRoot: Hash, sealedRoot: Hash, startedAt: number, creatorSignature?: Signature, providerSignature: Signature }
  result?: DealResult
  acceptance?: Signature
  batch?: DealBatch
  /** Whom the deal pays beside provider and solver, as `linesRoot` of the terms pins it. */
  readonly lines?: readonly Line[]
  /** The creator's word to pay this leaf and others of the batch, and when it came or was signed; the lines of each leaf that it names, where any has some. */
  statement?: { batch: Hash, leaves: Hash, signature: Signature, lines?: ReadonlyArray<readonly Line[]>, atMs: number }
  /** What its events told of its dispute on chain. */
  dispute?: Dispute
  /** The auditor's verdict. */
  verdict?: MediatorVerdict
  /** Verdicts of mediators for the Court, on chain or not. */
  votes?: readonly MediatorVerdict[]
  openedAt?: number
  submittedAt?: number
  challengedAt?: number
  revealedAt?: number
  transactions: DealTransaction[]
  /** The last thing that went wrong, for people. */
  problem?: { code: string, message: string }
  updatedAtMs: number
}

/** Moves a deal by an event; throws DealError DEAL_WRONG_STATE when it does not belong. */
export function applyEvent (deal: Deal, event: DealEvent, nowMs: number): void {
  deal.state = transition(deal.state, event)
  deal.updatedAtMs = nowMs
}
