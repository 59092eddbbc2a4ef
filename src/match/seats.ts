import type { Market } from './market.ts'
import type { JobRow } from './problem.ts'

/** The places that jobs need: one for each copy of a job. A bundle is matched whole or not at all: all copies of a job, or all of the jobs of a group. */
export interface Seats {
  readonly count: number
  /** Per seat: its job, its bundle. Seat j is the first of job j; those of further copies follow after all jobs. */
  readonly job: Int32Array
  readonly bundle: Int32Array
  /** Per bundle: its seats, in the order of index, then id, then copy. */
  readonly bundles: ReadonlyArray<readonly number[]>
  /** Per seat: the other seats of its job; nothing for most. */
  readonly twins: ReadonlyMap<number, readonly number[]>
}

/** Seats and bundles of a market. */
export function seatsOf (market: Market): Seats {
  const job = [...market.jobs.keys()]
  const ofJob = new Map<number, number[]>()
  for (const at of market.jobs.keys()) {
    const seats = [at]
    for (let copy = 1; copy < (market.copies[at] as number); copy++) seats.push(job.push(at) - 1)
    ofJob.set(at, seats)
  }
  const bundles: number[][] = []
  market.jobs.forEach((_: JobRow, at) => { if ((market.groupOf[at] as number) < 0) bundles.push(ofJob.get(at) as number[]) })
  for (const members of market.groups) bundles.push(members.flatMap((member) => ofJob.get(member) as number[]))
  const bundle = new Int32Array(job.length)
  bundles.forEach((seats, at) => { for (const seat of seats) bundle[seat] = at })
  const twins = new Map<number, number[]>()
  for (const seats of ofJob.values()) if (seats.length > 1) for (const seat of seats) twins.set(seat, seats.filter((other) => other !== seat))
  return { count: job.length, job: Int32Array.from(job), bundle, bundles, twins }
}
