import { BP, type AuctionRules, type MatchRules } from './options.ts'
import type { Phases } from './phases.ts'
import type { JobRow, OfferRow, Snapshot } from './problem.ts'

/** A row and when this node first saw its record, unix ms. */
export interface Seen<T> { readonly row: T, readonly firstSeenMs: number }

/**
 * protocol/auction.md, Snapshot. Who solves takes what it saw a grace period before the boundary; who verifies counts what it saw before the commit
 * deadline. The span between is the time a record has to reach every verifier, so a record hidden until after the commit scores nothing.
 */
export function cutoffsOf (phases: Phases, rules: AuctionRules): { solveMs: number, verifyMs: number } {
  return { solveMs: phases.epochStart - Math.floor(rules.epochMs * rules.graceBp / BP), verifyMs: phases.commitDeadline }
}

/** The snapshot of records first seen before `cutoffMs`, at the epoch's time. */
export function snapshotOf (seen: { jobs: Iterable<Seen<JobRow>>, offers: Iterable<Seen<OfferRow>> }, context: { phases: Phases, cutoffMs: number, rules: MatchRules }): Snapshot {
  const { phases, cutoffMs, rules } = context
  return { epoch: phases.epoch, atMs: phases.epochStart, jobs: rowsBefore(seen.jobs, cutoffMs), offers: rowsBefore(seen.offers, cutoffMs), rules }
}

function rowsBefore<T> (seen: Iterable<Seen<T>>, cutoffMs: number): T[] {
  const rows: T[] = []
  for (const { row, firstSeenMs } of seen) if (firstSeenMs < cutoffMs) rows.push(row)
  return rows
}
