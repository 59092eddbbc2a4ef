import type { AuctionCommit, AuctionReveal } from '../wire/auction.ts'
import type { Address } from '../wire/shapes.ts'
import type { Domain } from '../wire/typed-data.ts'
import { doesReveal, isCommitSigned, openReveal } from './evidence.ts'

/** Two statements of one solver for one epoch that exclude each other, both signed: proof for anyone. The solver's solution of this epoch does not count. */
export type Fault = { solver: Address, epoch: number } & (
  | { kind: 'commit-twice', messages: readonly [AuctionCommit, AuctionCommit] }
  | { kind: 'reveal-mismatch', messages: readonly [AuctionCommit, AuctionReveal] }
  | { kind: 'reveal-twice', messages: readonly [AuctionReveal, AuctionReveal] }
)

/** Whether the messages prove the fault: same solver and epoch, both signed, and not the same statement. */
export function isFaultProven (domain: Domain, fault: Fault): boolean {
  if (!fault.messages.every((message) => message.solver === fault.solver && message.epoch === fault.epoch)) return false
  if (fault.kind === 'commit-twice') {
    const [first, second] = fault.messages
    return first.commitment !== second.commitment && isCommitSigned(domain, first) && isCommitSigned(domain, second)
  }
  if (fault.kind === 'reveal-mismatch') {
    const [commit, reveal] = fault.messages
    const result = openReveal(domain, reveal)
    return result.ok && isCommitSigned(domain, commit) && !doesReveal(commit, result.opened)
  }
  const [first, second] = fault.messages.map((reveal) => openReveal(domain, reveal)) as [ReturnType<typeof openReveal>, ReturnType<typeof openReveal>]
  return first.ok && second.ok && (first.opened.solutionId !== second.opened.solutionId || first.opened.reveal.salt !== second.opened.reveal.salt)
}
