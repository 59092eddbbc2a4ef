import type { Hash } from '../wire/shapes.ts'
import { sortedById, type Places, type Sorted } from './by-id.ts'
import { MatchError } from './errors.ts'
import { groupsOf, type Groups } from './groups.ts'
import type { JobRow, MatchRules, OfferRow, Snapshot } from './problem.ts'
import { sharingOf, type SharedOffers, type Sharing } from './shared-offers.ts'
import { tasksOf, type Tasks } from './tasks.ts'

/**
 * A snapshot in canonical order (rows by id) with what rows share: alternative offers of one unit have one capacity and one free share of each device, offers
 * of one account one collateral and reputation, jobs of one account that share a number exclude each other. Rows carry the shared values, so a pair that is
 * admissible by its rows is feasible alone, a job of an incomplete group with none. So engines that fill one alternative leave room for another.
 */
export interface Market extends Groups, SharedOffers, Tasks {
  readonly epoch: number
  readonly atMs: number
  readonly rules: MatchRules
  readonly jobs: readonly JobRow[]
  readonly jobIndex: Places
  readonly offerIndex: Places
}

/** A market and what the next one may be made of. */
interface Known { readonly market: Market, readonly jobs: Sorted<JobRow>, readonly sharing: Sharing }

const known = new WeakMap<Snapshot, Known>()

/**
 * The snapshot's market, built once per snapshot. `before`: an earlier snapshot of the same book; where its market is known the same is made in less time. Throws
 * MatchError MATCH_SNAPSHOT for an id that occurs twice or an amount that is no safe integer.
 */
export function marketOf (snapshot: Snapshot, before?: Snapshot): Market {
  let found = known.get(snapshot)
  if (found === undefined) {
    found = createMarket(snapshot, before === undefined ? undefined : known.get(before))
    known.set(snapshot, found)
  }
  return found.market
}

function createMarket (snapshot: Snapshot, before: Known | undefined): Known {
  const { sorted, from } = sortedById(snapshot.jobs, before?.jobs)
  const offers = sortedById(snapshot.offers, before?.sharing.sorted).sorted
  for (const { rows } of [sorted, offers]) assertDifferent(rows)
  for (const { id, freeCollateral } of offers.rows) assertAmount(freeCollateral, id)
  for (const { id, offer: { limit } } of sorted.rows) assertAmount(limit, id)
  const sharing = sharingOf(offers, before?.sharing)
  const groups = groupsOf(sorted.rows)
  const jobs = groups.incomplete.size === 0 ? sorted.rows : sorted.rows.map((job, at) => groups.incomplete.has(at) ? { ...job, incomplete: true } : job)
  const wasFirst = (at: number): boolean => {
    const place = from[at] as number
    return before !== undefined && place >= 0 && before.market.isFirst[place] === 1 && before.market.jobs[place]?.account === jobs[at]?.account
  }
  const market = {
    epoch: snapshot.epoch, atMs: snapshot.atMs, rules: snapshot.rules, jobs, jobIndex: sorted, offerIndex: sharing.sorted,
    ...sharing.shared, ...tasksOf(jobs, before === undefined ? undefined : wasFirst), ...groups
  }
  return { market, jobs: sorted, sharing }
}

/** Of rows in order equal ids are neighbours. */
function assertDifferent (rows: ReadonlyArray<{ readonly id: Hash }>): void {
  for (let at = 1; at < rows.length; at++) {
    const { id } = rows[at] as JobRow | OfferRow
    if (rows[at - 1]?.id === id) throw new MatchError('MATCH_SNAPSHOT', `the snapshot holds ${id} twice`, { data: { id } })
  }
}

function assertAmount (amount: number, id: Hash): void {
  if (!Number.isSafeInteger(amount) || amount < 0) throw new MatchError('MATCH_SNAPSHOT', `an amount of ${id} is not a safe integer: ${amount}`, { data: { id, amount } })
}
