import type { Market } from '../market.ts'
import type { JobRow } from '../problem.ts'
import { isTickJob } from '../score.ts'
import type { JobKeys } from './job-keys.ts'
import type { JobShape } from './job-shapes.ts'

/** Jobs that differ in nothing but their limit, as far as this market can tell. */
export interface JobClass {
  /** One of them; what it asks for is what all ask for. */
  readonly row: JobRow
  readonly shape: JobShape
  /** Places in `market.jobs`, falling limits; canonical order among equals. A job for k providers stands k times. */
  readonly jobs: readonly number[]
  /** Which rules of access it has, as a number shared by classes. */
  readonly access: number
  /** Accounts that may not serve it. */
  readonly banned: readonly number[]
  /** Places that are taken all or none, with those of the same number; -1: each alone. */
  readonly bundle: number
  /** Engines leave it out: another offer of the same job stands for it, or a member of its group is narrowed. Bounds count it. */
  readonly idle: boolean
}

export interface JobClasses {
  readonly classes: readonly JobClass[]
  /** A job of each number of access. */
  readonly accesses: readonly JobRow[]
  /** Per job of the market: its class; -1: it is in none. */
  readonly classOf: Int32Array
  /** The class of the same as a job that the market does not hold; -1: there is none. */
  readonly classLike: (row: JobRow) => number
  /** Per job of the market: its limit, nLILY. */
  readonly limits: Float64Array
  /** Jobs that stand alone and only listed providers may serve: each of their pairs counts one tick, so they are placed last and are in no class. */
  readonly narrowed: readonly number[]
}

/** Groups the jobs that can be matched at all. */
export function jobClassesOf (market: Market, keys: JobKeys): JobClasses {
  const accessNumbers = new Map<string, number>()
  const accesses: JobRow[] = []
  const classes: Array<{ row: JobRow, shape: JobShape, jobs: number[], access: number, banned: readonly number[], bundle: number, idle: boolean }> = []
  const byKey = new Map<number | string, number>()
  const classOf = new Int32Array(market.jobs.length).fill(-1)
  const narrowed: number[] = []
  const bundleOf = bundlesOf(market)
  const isIdle = idleJobs(market)
  const limits = new Float64Array(market.jobs.length)
  market.jobs.forEach((row, at) => {
    const { offer } = row
    limits[at] = offer.limit
    if (row.incomplete === true || offer.validUntil <= market.atMs || offer.matchedUntil > market.atMs) return
    const bundle = bundleOf[at] as number
    const idle = isIdle[at] === 1
    if (bundle < 0 && !idle && isTickJob(row)) {
      narrowed.push(at)
      return
    }
    const key = keys.keyAt(at, bundle >= 0 || idle ? at : undefined)
    const found = byKey.get(key)
    classOf[at] = found ?? classes.length
    if (found !== undefined) {
      classes[found]?.jobs.push(at)
      return
    }
    byKey.set(key, classes.length)
    const accessKey = keys.accessOf(row)
    const access = accessNumbers.get(accessKey) ?? accesses.push(row) - 1
    accessNumbers.set(accessKey, access)
    classes.push({ row, shape: keys.shapes[at] as JobShape, jobs: new Array<number>(market.copies[at] as number).fill(at), access, banned: keys.bannedBy(row), bundle, idle })
  })
  for (const { jobs } of classes) jobs.sort((left, right) => (limits[right] as number) - (limits[left] as number) || left - right)
  return { classes, accesses, classOf, classLike: (row) => byKey.get(keys.keyOf(row)) ?? -1, limits, narrowed }
}

/** Per job: the number of those with which it is matched all or none, members of a group or its own copies; -1: it stands alone. */
function bundlesOf ({ groupOf, groups, copies }: Market): Int32Array {
  let next = groups.length
  return copies.map((count, at) => (groupOf[at] as number) >= 0 ? groupOf[at] as number : count > 1 ? next++ : -1)
}

/** 1 for jobs that engines leave out. Of jobs that exclude each other the larger limit stays. */
function idleJobs ({ jobs, tasks, tasksOf, groups, copies }: Market): Uint8Array {
  const idle = new Uint8Array(jobs.length)
  const limit = (at: number): number => (jobs[at] as JobRow).offer.limit
  if (tasks < copies.reduce((sum, count) => sum + count, 0)) {
    const taken = new Uint8Array(tasks)
    for (const at of [...jobs.keys()].sort((left, right) => limit(right) - limit(left) || left - right)) {
      const own = tasksOf[at] as readonly number[]
      if (own.some((task) => taken[task] === 1)) idle[at] = 1
      else for (const task of own) taken[task] = 1
    }
  }
  for (const members of groups) {
    if (members.some((at) => idle[at] === 1 || isTickJob(jobs[at] as JobRow))) for (const at of members) idle[at] = 1
  }
  for (let at = 0; at < idle.length; at++) if ((copies[at] as number) > 1 && isTickJob(jobs[at] as JobRow)) idle[at] = 1
  return idle
}
