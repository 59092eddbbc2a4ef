import { percentile } from '../figure.ts'
import type { Cluster, Tracked } from './cluster.ts'
import { SIZES, type Size } from './schedule.ts'

/** What became of jobs of one size. Waits are of those that were matched, ages of those that were not; ms. */
export interface SizeOutcome { readonly size: Size | 'all', readonly jobs: number, readonly fill: number, readonly waitP50: number, readonly waitP95: number, readonly ageP50: number }

/** Jobs that came at least `settleMs` before the end: the others had no auction. */
export function outcomeOf ({ jobs }: Pick<Cluster, 'jobs'>, { endMs, settleMs }: { endMs: number, settleMs: number }): SizeOutcome[] {
  const due = jobs.filter(({ arrival }) => arrival.atMs <= endMs - settleMs)
  return (['all', ...SIZES] as const).map((size) => {
    const own = due.filter(({ arrival }) => size === 'all' || arrival.size === size)
    const matched = own.flatMap(({ arrival, matchedMs }) => matchedMs === undefined ? [] : [matchedMs - arrival.atMs])
    const ages = own.filter(({ matchedMs }) => matchedMs === undefined).map(({ arrival }) => endMs - arrival.atMs)
    return { size, jobs: own.length, fill: own.length === 0 ? 0 : 100 * matched.length / own.length, waitP50: percentile(matched, 0.5), waitP95: percentile(matched, 0.95), ageP50: percentile(ages, 0.5) }
  })
}

/** The same jobs, by how old the market was when they came: quarters of the time of arrivals. */
export function waitsByArrival (jobs: readonly Tracked[], quarters = 4): Array<{ quarter: number, jobs: number, waitP50: number }> {
  const last = jobs.reduce((most, { arrival }) => Math.max(most, arrival.atMs), 1)
  return Array.from({ length: quarters }, (_, quarter) => {
    const own = jobs.filter(({ arrival }) => Math.min(quarters - 1, Math.floor(arrival.atMs * quarters / (last + 1))) === quarter)
    return { quarter: quarter + 1, jobs: own.length, waitP50: percentile(own.flatMap(({ arrival, matchedMs }) => matchedMs === undefined ? [] : [matchedMs - arrival.atMs]), 0.5) }
  })
}
