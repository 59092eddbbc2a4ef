import type { Market } from './market.ts'
import type { Match } from './problem.ts'

/** What a solution breaks that belongs together (protocol/matching.md, Verification). */
export type WholeCode = 'MATCH_JOB_TWICE' | 'MATCH_REPLICAS' | 'MATCH_GROUP'

/** A match of rows that the market holds, by their places. */
export interface KnownMatch { readonly jobAt: number, readonly offerAt: number, readonly devices: readonly number[], readonly match: Match }

/**
 * The matches that can count: of jobs that are matched once, or as often as they have replicas, and together with the rest of their group. Unknown ones are
 * left out, with all that hangs on them.
 */
export function findWhole (market: Market, matches: readonly Match[]): { ok: true, known: KnownMatch[] } | { ok: false, code: WholeCode } {
  const { jobIndex, offerIndex, copies, tasksOf, accountOf, groupOf, incomplete } = market
  /** Jobs that are named, in the order of their first match; per job how often, and whether one of its matches is unknown. */
  const named: number[] = []
  const times = new Int32Array(market.jobs.length)
  const isUnknown = new Uint8Array(market.jobs.length)
  /** Per number that jobs share: one more than the job that has it. */
  const taken = new Int32Array(market.tasks)
  /** Accounts of the jobs that are matched several times. */
  const accounts = new Map<number, Set<number>>()
  const known: KnownMatch[] = []
  for (const match of matches) {
    const { job, offer, devices } = match
    const jobAt = jobIndex.get(job)
    if (jobAt === undefined) continue
    const isFirst = times[jobAt] === 0
    times[jobAt] = (times[jobAt] as number) + 1
    if (isFirst) {
      named.push(jobAt)
      for (const task of tasksOf[jobAt] as readonly number[]) {
        if (taken[task] !== 0) return { ok: false, code: 'MATCH_JOB_TWICE' }
        taken[task] = jobAt + 1
      }
    } else if (copies[jobAt] === 1) {
      return { ok: false, code: 'MATCH_JOB_TWICE' }
    }
    const offerAt = offerIndex.get(offer)
    if (offerAt === undefined) {
      isUnknown[jobAt] = 1
      continue
    }
    if ((copies[jobAt] as number) > 1) {
      const account = accountOf[offerAt] as number
      const own = accounts.get(jobAt) ?? new Set()
      if (own.has(account)) return { ok: false, code: 'MATCH_REPLICAS' }
      accounts.set(jobAt, own.add(account))
    }
    known.push({ jobAt, offerAt, devices, match })
  }
  const unknownGroups = new Set<number>()
  for (const jobAt of named) if (times[jobAt] !== copies[jobAt]) return { ok: false, code: 'MATCH_REPLICAS' }
  for (const jobAt of named) {
    if (incomplete.has(jobAt)) isUnknown[jobAt] = 1
    const group = groupOf[jobAt] as number
    if (group < 0) continue
    if ((market.groups[group] as readonly number[]).some((member) => times[member] === 0)) return { ok: false, code: 'MATCH_GROUP' }
    if (isUnknown[jobAt] === 1) unknownGroups.add(group)
  }
  return { ok: true, known: known.filter(({ jobAt }) => isUnknown[jobAt] === 0 && !unknownGroups.has(groupOf[jobAt] as number)) }
}
