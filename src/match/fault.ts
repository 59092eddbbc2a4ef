import type { AuctionCommit, Statement } from '../wire/auction.ts'
import type { Address } from '../wire/shapes.ts'
import type { Domain } from '../wire/typed-data.ts'
import { doesReveal, isCommitSigned, isSameStatement, isStatementSigned } from './evidence.ts'

/** Two statements of one solver for one epoch that exclude each other, both signed: proof for anyone. The solver's solution and certificate of this epoch do not count. */
export type Fault = { solver: Address, epoch: number } & (
  | { kind: 'commit-twice', messages: readonly [AuctionCommit, AuctionCommit] }
  | { kind: 'reveal-mismatch', messages: readonly [AuctionCommit, Statement] }
  | { kind: 'reveal-twice', messages: readonly [Statement, Statement] }
)

/** Whether the messages prove the fault: same solver and epoch, both signed, and not the same statement. */
export function isFaultProven (domain: Domain, fault: Fault): boolean {
  if (!fault.messages.every((message) => message.solver === fault.solver && message.epoch === fault.epoch)) return false
  if (fault.kind === 'commit-twice') {
    const [first, second] = fault.messages
    return first.commitment !== second.commitment && isCommitSigned(domain, first) && isCommitSigned(domain, second)
  }
  if (fault.kind === 'reveal-mismatch') {
    const [commit, statement] = fault.messages
    return isCommitSigned(domain, commit) && isStatementSigned(domain, statement) && !doesReveal(commit, statement)
  }
  const [first, second] = fault.messages
  return isStatementSigned(domain, first) && isStatementSigned(domain, second) && !isSameStatement(first, second)
}
