import { CodedError } from '../core/errors.ts'
import { commitDigest, commitmentOf, FALLBACK_SALT, NO_CERTIFICATE, revealDigest, statementOf, type AuctionCommit, type AuctionReveal, type Evidence, type Statement } from '../wire/auction.ts'
import type { Hash } from '../wire/shapes.ts'
import { recoverSigner } from '../wire/signature.ts'
import { decodeSolution } from '../wire/solution.ts'
import type { Domain } from '../wire/typed-data.ts'
import type { Snapshot, Solution } from './problem.ts'
import { resolveSolution } from './resolve.ts'
import { verifySolution, type Verified } from './verify.ts'

/** What is wrong with a message or evidence by itself, whatever the time (protocol/auction.md). */
export type EvidenceCode = 'AUCTION_SIGNATURE' | 'AUCTION_MALFORMED' | 'AUCTION_EPOCH' | 'AUCTION_NO_COMMIT' | 'AUCTION_MISMATCH'

/** A reveal whose signature and bytes are in order. The solution has short ids. */
export interface Opened { reveal: AuctionReveal, statement: Statement, solution: Solution, solutionId: Hash }

/** Whether the commit is its solver's. */
export function isCommitSigned (domain: Domain, commit: AuctionCommit): boolean {
  return recoverSigner(commitDigest(domain, commit), commit.signature) === commit.solver
}

/** Whether the statement is its solver's. */
export function isStatementSigned (domain: Domain, statement: Statement): boolean {
  return recoverSigner(revealDigest(domain, statement), statement.signature) === statement.solver
}

/** Checks signature, then bytes, then that the solution is for the reveal's epoch. Never throws for foreign bytes. */
export function openReveal (domain: Domain, reveal: AuctionReveal): { ok: true, opened: Opened } | { ok: false, code: EvidenceCode } {
  const statement = statementOf(reveal)
  if (!isStatementSigned(domain, statement)) return { ok: false, code: 'AUCTION_SIGNATURE' }
  if (reveal.salt === FALLBACK_SALT && reveal.certificateId !== NO_CERTIFICATE) return { ok: false, code: 'AUCTION_MALFORMED' }
  try {
    const solution = decodeSolution(reveal.solution)
    if (solution.epoch !== reveal.epoch) return { ok: false, code: 'AUCTION_EPOCH' }
    return { ok: true, opened: { reveal, statement, solution, solutionId: statement.solutionId } }
  } catch (error) {
    if (error instanceof CodedError) return { ok: false, code: 'AUCTION_MALFORMED' }
    throw error
  }
}

/** Whether the statement is the one that the commit is bound to. */
export function doesReveal (commit: AuctionCommit, statement: Statement): boolean {
  return commit.commitment === commitmentOf(statement)
}

/** Whether two statements of one solver and epoch say the same. */
export function isSameStatement (left: Statement, right: Statement): boolean {
  return left.solutionId === right.solutionId && left.certificateId === right.certificateId && left.salt === right.salt
}

/** Checks both signatures and their bond; a posting of the fall-back phase needs no commit. Says nothing about when they were sent. */
export function openEvidence (domain: Domain, evidence: Evidence): { ok: true, opened: Opened } | { ok: false, code: EvidenceCode } {
  const { commit, reveal } = evidence
  const result = openReveal(domain, reveal)
  if (!result.ok) return result
  if (commit === undefined) return reveal.salt === FALLBACK_SALT ? result : { ok: false, code: 'AUCTION_NO_COMMIT' }
  if (commit.epoch !== reveal.epoch) return { ok: false, code: 'AUCTION_EPOCH' }
  if (commit.solver !== reveal.solver || reveal.salt === FALLBACK_SALT || !doesReveal(commit, result.opened.statement)) return { ok: false, code: 'AUCTION_MISMATCH' }
  return isCommitSigned(domain, commit) ? result : { ok: false, code: 'AUCTION_SIGNATURE' }
}

/** Opens evidence and scores its solution on this node's snapshot: all that a party needs to compare it with what it holds itself. */
export function verifyEvidence (domain: Domain, evidence: Evidence, snapshot: Snapshot): { ok: true, opened: Opened, verified: Verified } | { ok: false, code: EvidenceCode } {
  const result = openEvidence(domain, evidence)
  return result.ok ? { ok: true, opened: result.opened, verified: verifySolution(snapshot, resolveSolution(snapshot, result.opened.solution)) } : result
}
