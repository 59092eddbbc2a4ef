import type { Market } from './market.ts'
import type { Match } from './problem.ts'

/** What a solution breaks that belongs together (protocol/matching.md, Verification). */
export type WholeCode = 'MATCH_JOB_TWICE' | 'MATCH_REPLICAS' | 'MATCH_GROUP'

/** A match of rows that the market holds, by their places. */
export interface KnownMatch { readonly jobAt: number, readonly offerAt: number, readonly devices: readonly number[], readonly match: Match }

/** The matches of one job. */
interface Named { times: number, accounts: Set<number>, isUnknown: boolean }

/**
 * The matches that can count: of jobs that are matched once, or as often as they have replicas, and together with the rest of their group. Unknown ones are
 * left out, with all that hangs on them.
 */
export function findWhole (market: Market, matches: readonly Match[]): { ok: true, known: KnownMatch[] } | { ok: false, code: WholeCode } {
  const named = new Map<number, Named>()
  const taken = new Map<number, number>()
  const known: KnownMatch[] = []
  for (const match of matches) {
    const { job, offer, devices } = match
    const jobAt = market.jobIndex.get(job)
    if (jobAt === undefined) continue
    const entry = named.get(jobAt) ?? { times: 0, accounts: new Set<number>(), isUnknown: market.incomplete.has(jobAt) }
    named.set(jobAt, entry)
    entry.times++
    if (market.copies[jobAt] === 1 && entry.times > 1) return { ok: false, code: 'MATCH_JOB_TWICE' }
    for (const task of market.tasksOf[jobAt] as readonly number[]) {
      if ((taken.get(task) ?? jobAt) !== jobAt) return { ok: false, code: 'MATCH_JOB_TWICE' }
      taken.set(task, jobAt)
    }
    const offerAt = market.offerIndex.get(offer)
    if (offerAt === undefined) {
      entry.isUnknown = true
      continue
    }
    const account = market.accountOf[offerAt] as number
    if (entry.accounts.has(account)) return { ok: false, code: 'MATCH_REPLICAS' }
    entry.accounts.add(account)
    known.push({ jobAt, offerAt, devices, match })
  }
  for (const [jobAt, { times }] of named) if (times !== market.copies[jobAt]) return { ok: false, code: 'MATCH_REPLICAS' }
  const unknownGroups = new Set<number>()
  for (const [jobAt, { isUnknown }] of named) {
    const group = market.groupOf[jobAt] as number
    if (group < 0) continue
    if (!(market.groups[group] as readonly number[]).every((member) => named.has(member))) return { ok: false, code: 'MATCH_GROUP' }
    if (isUnknown) unknownGroups.add(group)
  }
  return { ok: true, known: known.filter(({ jobAt }) => !(named.get(jobAt) as Named).isUnknown && !unknownGroups.has(market.groupOf[jobAt] as number)) }
}
