import { BP } from './integers.ts'
import type { AuctionRules, MatchRules } from './options.ts'
import type { Phases } from './phases.ts'
import type { JobRow, OfferRow, Row, Snapshot } from './problem.ts'

/** A row with when its record says that it was written, when this node first saw it, and when it saw it leave the book; unix ms. */
export interface Seen<T> { readonly row: T, readonly writtenMs: number, readonly firstSeenMs: number, readonly goneMs?: number }

/**
 * Which records count: first seen before `seenBeforeMs`, for one tick from `lateFromMs` on, and in the book or gone no earlier than `goneFromMs` (left out: in
 * the book now). Those that were first seen from `freshFromMs` on, or written from `datedFromMs` on, count one tick in a lead.
 */
export interface Cutoff { readonly seenBeforeMs: number, readonly lateFromMs: number, readonly freshFromMs: number, readonly datedFromMs: number, readonly goneFromMs?: number }

/**
 * protocol/auction.md, Snapshot. Who solves takes what it saw until the boundary, and nothing that it saw leave. Who verifies counts what it saw before the
 * commit deadline, and what left within two grace periods before the boundary or later; what came less than one before it counts one tick on both sides.
 * So a record that comes or goes has a grace period to reach every solver, nodes score alike, and who shows a record late gains nothing by it. Leads look at what
 * came two graces before the boundary and was written three before it: what all nodes know alike.
 */
export function cutoffsOf (phases: Phases, rules: AuctionRules): { solve: Cutoff, verify: Cutoff } {
  const graceMs = Math.floor(rules.epochMs * rules.graceBp / BP)
  const times = { lateFromMs: phases.epochStart - graceMs, freshFromMs: phases.epochStart - 2 * graceMs, datedFromMs: phases.epochStart - 3 * graceMs }
  return {
    solve: { ...times, seenBeforeMs: phases.epochStart },
    verify: { ...times, seenBeforeMs: phases.commitDeadline, goneFromMs: phases.epochStart - 2 * graceMs }
  }
}

/** The snapshot of the records that count by `cutoff`, at the epoch's time. */
export function snapshotOf (seen: { jobs: Iterable<Seen<JobRow>>, offers: Iterable<Seen<OfferRow>> }, context: { phases: Phases, cutoff: Cutoff, rules: MatchRules }): Snapshot {
  const { phases, cutoff, rules } = context
  return { epoch: phases.epoch, atMs: phases.epochStart, jobs: rowsWithin(seen.jobs, cutoff), offers: rowsWithin(seen.offers, cutoff), rules }
}

/**
 * `known` where it has the same rows, the very same objects, at the same time: what was derived from it holds. Else the snapshot as it is. Books of a quiet epoch
 * are so indexed once, for who solves, who verifies and what is priced.
 */
export function sameOr (known: Snapshot | undefined, snapshot: Snapshot): Snapshot {
  const isSame = known !== undefined && known.epoch === snapshot.epoch && known.atMs === snapshot.atMs && known.rules === snapshot.rules &&
    areSame(known.jobs, snapshot.jobs) && areSame(known.offers, snapshot.offers)
  return isSame ? known : snapshot
}

/** The snapshot of what every solver could know and still stands: what prices are read from. */
export function knownToAll (snapshot: Snapshot): Snapshot {
  return only(snapshot, (row) => row.departed !== true && row.late !== true)
}

/** The snapshot without what has left the book. */
export function withoutDeparted (snapshot: Snapshot): Snapshot {
  return only(snapshot, (row) => row.departed !== true)
}

function only (snapshot: Snapshot, keeps: (row: Row) => boolean): Snapshot {
  return sameOr(snapshot, { ...snapshot, jobs: snapshot.jobs.filter(keeps), offers: snapshot.offers.filter(keeps) })
}

function areSame (left: readonly Row[], right: readonly Row[]): boolean {
  return left.length === right.length && left.every((row, at) => row === right[at])
}

function rowsWithin<T extends Row> (seen: Iterable<Seen<T>>, { seenBeforeMs, lateFromMs, freshFromMs, datedFromMs, goneFromMs }: Cutoff): T[] {
  const rows: T[] = []
  for (const { row, writtenMs, firstSeenMs, goneMs } of seen) {
    if (firstSeenMs >= seenBeforeMs || (goneMs !== undefined && (goneFromMs === undefined || goneMs < goneFromMs))) continue
    rows.push(flagged(row, { departed: goneMs !== undefined, late: firstSeenMs >= lateFromMs, fresh: firstSeenMs >= freshFromMs || writtenMs >= datedFromMs }))
  }
  return rows
}

type Flags = Required<Pick<Row, 'departed' | 'late' | 'fresh'>>
const known = new WeakMap<Row, Map<number, Row>>()

/** The row with what is true of it; the same object for the same row. */
function flagged<T extends Row> (row: T, flags: Flags): T {
  const { departed, late, fresh } = flags
  const number = Number(departed) + 2 * Number(late) + 4 * Number(fresh)
  if (number === 0) return row
  const made = known.get(row) ?? new Map<number, Row>()
  known.set(row, made)
  const found = made.get(number) ?? { ...row, ...(departed ? { departed } : {}), ...(late ? { late } : {}), ...(fresh ? { fresh } : {}) }
  made.set(number, found)
  return found as T
}
