import { shortId } from '../wire/solution.ts'
import type { JobRow } from './problem.ts'

/** Which of the jobs belong together. Jobs are told by their place in the canonical order. */
export interface Groups {
  /** Per job: its group, -1 for a job that stands alone or whose group is incomplete. */
  readonly groupOf: Int32Array
  /** Per complete group: its jobs by index. */
  readonly groups: ReadonlyArray<readonly number[]>
  readonly incomplete: ReadonlySet<number>
}

/** How many providers the job needs. */
export function copiesOf ({ offer: { verification } }: JobRow): number {
  return 'replicas' in verification ? verification.replicas : 1
}

/** Finds the groups of jobs in canonical order (protocol/matching.md, Groups). */
export function groupsOf (jobs: readonly JobRow[]): Groups {
  const members = new Map<string, number[]>()
  jobs.forEach(({ account, offer: { group } }, at) => {
    if (group.size <= 1) return
    const key = `${account}:${group.id}`
    const places = members.get(key)
    if (places === undefined) members.set(key, [at])
    else places.push(at)
  })
  const groupOf = new Int32Array(jobs.length).fill(-1)
  const groups: number[][] = []
  const incomplete = new Set<number>()
  for (const places of members.values()) {
    const sorted = [...places].sort((left, right) => groupAt(jobs, left).index - groupAt(jobs, right).index)
    const isComplete = sorted.every((place, index) => groupAt(jobs, place).index === index && groupAt(jobs, place).size === places.length && !isShared(jobs, place))
    for (const place of places) {
      if (isComplete) groupOf[place] = groups.length
      else incomplete.add(place)
    }
    if (isComplete) groups.push(sorted)
  }
  return { groupOf, groups, incomplete }
}

function groupAt (jobs: readonly JobRow[], place: number): JobRow['offer']['group'] {
  return (jobs[place] as JobRow).offer.group
}

/** Whether another row has the same short id: they are neighbours in the order of ids. */
export function isShared (rows: ReadonlyArray<{ id: JobRow['id'] }>, place: number): boolean {
  const short = shortId((rows[place] as JobRow).id)
  return [rows[place - 1], rows[place + 1]].some((row) => row !== undefined && shortId(row.id) === short)
}
