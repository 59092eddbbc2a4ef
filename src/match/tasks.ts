import type { Address } from '../wire/shapes.ts'
import { copiesOf } from './groups.ts'
import type { JobRow } from './problem.ts'

/** Job numbers of all accounts, numbered. */
export interface Tasks {
  /** Per job: which of the `tasks` numbers of all accounts it has: one for each copy. Jobs that share one exclude each other. */
  readonly tasksOf: ReadonlyArray<readonly number[]>
  readonly tasks: number
  /** Per job: how many providers it needs. */
  readonly copies: Int32Array
  /** Per job: 1 for the first of its account, mostly its only one. */
  readonly isFirst: Uint8Array
}

/**
 * Numbers each job number that some account uses. Most accounts have one job, whose numbers are compared with nobody's. `wasFirst`: jobs that were their account's
 * first in a list of before: alone, while there is none of that account that was not.
 */
export function tasksOf (jobs: readonly JobRow[], wasFirst?: (at: number) => boolean): Tasks {
  /** Accounts of all other jobs. */
  const busy = new Set<Address>()
  const isSure = new Uint8Array(jobs.length)
  for (let at = 0; wasFirst !== undefined && at < jobs.length; at++) {
    if (wasFirst(at)) isSure[at] = 1
    else busy.add((jobs[at] as JobRow).account)
  }
  /** Per account: its only job, or the numbers of all of them. */
  const ofAccount = new Map<Address, number | Map<number, number>>()
  const numbers: number[][] = []
  const copies = new Int32Array(jobs.length)
  const isFirst = new Uint8Array(jobs.length)
  let tasks = 0
  jobs.forEach((job, at) => {
    const count = copies[at] = copiesOf(job)
    const isKnown = isSure[at] === 1 && !busy.has(job.account)
    const others = isKnown ? undefined : ofAccount.get(job.account)
    if (others === undefined) {
      isFirst[at] = 1
      if (!isKnown) ofAccount.set(job.account, at)
      numbers.push(count === 1 ? [tasks++] : Array.from({ length: count }, () => tasks++))
      return
    }
    let own = others
    if (typeof own === 'number') {
      const first = own
      own = new Map((numbers[first] as number[]).map((task, copy) => [(jobs[first] as JobRow).offer.jobNumber + copy, task]))
      ofAccount.set(job.account, own)
    }
    const known = own
    numbers.push(Array.from({ length: count }, (_, copy) => {
      const number = job.offer.jobNumber + copy
      const task = known.get(number) ?? tasks++
      known.set(number, task)
      return task
    }))
  })
  return { tasksOf: numbers, tasks, copies, isFirst }
}
