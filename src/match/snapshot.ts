import { BP, type AuctionRules, type MatchRules } from './options.ts'
import type { Phases } from './phases.ts'
import type { JobRow, OfferRow, Row, Snapshot } from './problem.ts'

/** A row with when this node first saw its record, and when it saw it leave the book; unix ms. */
export interface Seen<T> { readonly row: T, readonly firstSeenMs: number, readonly goneMs?: number }

/**
 * Which records count: first seen before `seenBeforeMs`, for one tick from `lateFromMs` on, and in the book or gone no earlier than `goneFromMs` (left out: in
 * the book now).
 */
export interface Cutoff { readonly seenBeforeMs: number, readonly lateFromMs: number, readonly goneFromMs?: number }

/**
 * protocol/auction.md, Snapshot. Who solves takes what it saw until the boundary, and nothing that it saw leave. Who verifies counts what it saw before the
 * commit deadline, and what left within two grace periods before the boundary or later; what came less than one before it counts one tick on both sides.
 * So a record that comes or goes has a grace period to reach every solver, nodes score alike, and who shows a record late gains nothing by it.
 */
export function cutoffsOf (phases: Phases, rules: AuctionRules): { solve: Cutoff, verify: Cutoff } {
  const graceMs = Math.floor(rules.epochMs * rules.graceBp / BP)
  return {
    solve: { seenBeforeMs: phases.epochStart, lateFromMs: phases.epochStart - graceMs },
    verify: { seenBeforeMs: phases.commitDeadline, lateFromMs: phases.epochStart - graceMs, goneFromMs: phases.epochStart - 2 * graceMs }
  }
}

/** The snapshot of the records that count by `cutoff`, at the epoch's time. */
export function snapshotOf (seen: { jobs: Iterable<Seen<JobRow>>, offers: Iterable<Seen<OfferRow>> }, context: { phases: Phases, cutoff: Cutoff, rules: MatchRules }): Snapshot {
  const { phases, cutoff, rules } = context
  return { epoch: phases.epoch, atMs: phases.epochStart, jobs: rowsWithin(seen.jobs, cutoff), offers: rowsWithin(seen.offers, cutoff), rules }
}

/** The snapshot of what every solver could know and still stands: what prices are read from. */
export function knownToAll (snapshot: Snapshot): Snapshot {
  const isKnown = (row: Row): boolean => row.departed !== true && row.late !== true
  return { ...snapshot, jobs: snapshot.jobs.filter(isKnown), offers: snapshot.offers.filter(isKnown) }
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
    const isLate = firstSeenMs >= cutoff.lateFromMs
    if (goneMs === undefined) rows.push(isLate ? { ...row, late: true } : row)
    else if (cutoff.goneFromMs !== undefined && goneMs >= cutoff.goneFromMs) rows.push({ ...row, departed: true, ...(isLate ? { late: true } : {}) })
  }
  return rows
}
