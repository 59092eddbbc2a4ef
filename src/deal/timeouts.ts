import type { DealRest, DealTerms } from '../wire/deal-terms.ts'
import type { DealState } from './states.ts'

/** What the clock allows next for a deal; `protocol/deal.md` has each deadline with its reason. Times are unix seconds. */
export type DueAction = 'give-up-open' | 'expire' | 'claim' | 'answer' | 'submit' | 'refund' | 'timeout-submit' | 'finalize' | 'timeout-reveal' | 'timeout-verdict' | 'conclude'

/** What is known of a deal's progress, as far as deadlines hang on it. */
export interface Progress {
  state: DealState
  openBy: number
  rest: DealRest
  /** From the start receipt that both signed. */
  startedAt?: number | undefined
  /** Block time of the submission on chain. */
  submittedAt?: number | undefined
  challengedAt?: number | undefined
  /** Of the last draw. */
  revealedAt?: number | undefined
  /** Last second of an appeal against the ruling, or of its judge. */
  ruledUntil?: number | undefined
  /** The Court caps each step of a dispute at half the unbonding time, so that bonds outlast disputes. */
  unbondSeconds: number
  /** Where the deal is a leaf of a batch: when that expires, when the leaf was claimed, and until when its disownment waits for an answer. */
  batch?: { expiry: number, claimedAt?: number, answerBy?: number } | undefined
  /** The creator's, which then wants nothing but its settlement. */
  isAccepted?: boolean
  role?: 'creator' | 'provider'
}

/** Parties stop acting this many seconds before a deadline and act on others' after it: clocks and inclusion. */
export const DEADLINE_SKEW_SECONDS = 2

/** The action that anyone may take at block time `now`, or undefined. `submit` is the provider's own, ahead of its deadline. */
export function dueAction (progress: Progress, now: number): DueAction | undefined {
  const { state, rest, startedAt, submittedAt, challengedAt, revealedAt, ruledUntil, batch } = progress
  // The solver has the first half of the time.
  if (batch?.answerBy !== undefined && now > batch.answerBy - progress.unbondSeconds / 16 && now <= batch.answerBy) return 'answer'
  if (batch !== undefined && batch.claimedAt === undefined) return dueOfLeaf(progress, batch.expiry, now)
  if (state === 'DealNegotiating') return now > progress.openBy + DEADLINE_SKEW_SECONDS ? 'give-up-open' : undefined
  if (state === 'ResultsChallenged' && challengedAt !== undefined) {
    if (ruledUntil !== undefined) return now > ruledUntil ? 'conclude' : undefined
    const windowSeconds = Math.min(rest.challengeSeconds, Math.floor(progress.unbondSeconds / 2))
    if (revealedAt === undefined) return now > challengedAt + windowSeconds ? 'timeout-reveal' : undefined
    return now > revealedAt + windowSeconds ? 'timeout-verdict' : undefined
  }
  if (submittedAt !== undefined) return now > submittedAt + rest.judgeSeconds ? 'finalize' : undefined
  // From a claim on both sides have as long as a challenge takes, however late it came.
  const fromClaim = batch?.claimedAt === undefined ? 0 : batch.claimedAt + rest.challengeSeconds
  if (startedAt !== undefined) return now > Math.max(startedAt + rest.submitSeconds, fromClaim) ? 'timeout-submit' : undefined
  // Without a receipt the latest start counts, and the judge window after it: nobody can be cut off who may still act.
  return now > Math.max(rest.startBy + rest.submitSeconds, fromClaim) + rest.judgeSeconds ? 'refund' : undefined
}

/** A leaf has one deadline of its own; the creator claims it where the deadline of the submission has passed. */
function dueOfLeaf ({ state, rest, startedAt, role, isAccepted }: Progress, expiry: number, now: number): DueAction | undefined {
  if (now > expiry + DEADLINE_SKEW_SECONDS) return 'expire'
  const isLate = startedAt !== undefined && now > startedAt + rest.submitSeconds && now < expiry - DEADLINE_SKEW_SECONDS
  return role === 'creator' && isLate && isAccepted !== true && (state === 'Running' || state === 'ResultsSubmitted') ? 'claim' : undefined
}

/**
 * The last second of all that can follow on a deal that was agreed while nobody is late: a batch that is committed at openBy and lives as long
 * as it may, a challenge, the draw, the words of a panel and of two that replace it, an appeal and its judge. Unix seconds.
 */
export function lastWordBy ({ core, rest }: DealTerms, unbondSeconds: number): number {
  const half = Math.floor(unbondSeconds / 2)
  const window = Math.min(rest.challengeSeconds, half)
  return Math.max(rest.startBy + rest.submitSeconds + rest.judgeSeconds, core.openBy + half) + 4 * window + Math.max(window, Math.min(rest.appealSeconds, half)) + half
}

/** When a provider whose result was not accepted yet puts it on chain: in time for the deadline, late enough to spare the gas. */
export function submitDueAt (rest: DealRest, startedAt: number): number {
  return startedAt + rest.submitSeconds - Math.max(2 * DEADLINE_SKEW_SECONDS, Math.floor(rest.submitSeconds / 4))
}
