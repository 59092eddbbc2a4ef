import { BP, type AuctionRules, type MatchRules } from './options.ts'
import type { Phases } from './phases.ts'
import type { JobRow, OfferRow, Row, Snapshot } from './problem.ts'

/** A row with when this node first saw its record, and when it saw it leave the book; unix ms. */
export interface Seen<T> { readonly row: T, readonly firstSeenMs: number, readonly goneMs?: number }

/** Which records count: first seen before `seenBeforeMs`, and in the book or gone no earlier than `goneFromMs` (left out: in the book now). */
export interface Cutoff { readonly seenBeforeMs: number, readonly goneFromMs?: number }

/**
 * protocol/auction.md, Snapshot. Who solves takes what it saw a grace period before the boundary, and nothing that it saw leave. Who verifies counts
 * what it saw before the commit deadline, and what left within two grace periods before the boundary or later. A record that comes or goes has
 * the span between to reach everybody, so that nodes score alike; one that is hidden until after the commit scores nothing.
 */
export function cutoffsOf (phases: Phases, rules: AuctionRules): { solve: Cutoff, verify: Cutoff } {
  const graceMs = Math.floor(rules.epochMs * rules.graceBp / BP)
  return {
    solve: { seenBeforeMs: phases.epochStart - graceMs },
    verify: { seenBeforeMs: phases.commitDeadline, goneFromMs: phases.epochStart - 2 * graceMs }
  }
}

/** The snapshot of the records that count by `cutoff`, at the epoch's time. */
export function snapshotOf (seen: { jobs: Iterable<Seen<JobRow>>, offers: Iterable<Seen<OfferRow>> }, context: { phases: Phases, cutoff: Cutoff, rules: MatchRules }): Snapshot {
  const { phases, cutoff, rules } = context
  return { epoch: phases.epoch, atMs: phases.epochStart, jobs: rowsWithin(seen.jobs, cutoff), offers: rowsWithin(seen.offers, cutoff), rules }
}

/** The snapshot without what has left the book. */
export function withoutDeparted (snapshot: Snapshot): Snapshot {
  const isHere = (row: Row): boolean => row.departed !== true
  return { ...snapshot, jobs: snapshot.jobs.filter(isHere), offers: snapshot.offers.filter(isHere) }
}

function rowsWithin<T extends Row> (seen: Iterable<Seen<T>>, cutoff: Cutoff): T[] {
  const rows: T[] = []
  for (const { row, firstSeenMs, goneMs } of seen) {
    if (firstSeenMs >= cutoff.seenBeforeMs) continue
    if (goneMs === undefined) rows.push(row)
    else if (cutoff.goneFromMs !== undefined && goneMs >= cutoff.goneFromMs) rows.push({ ...row, departed: true })
  }
  return rows
}
