import type { Kernel } from '../../src/match/kernel/kernel.ts'
import type { Rows } from './rows.ts'

/** The kernel's jobs, as its programs number them, in the order in which the trace's tasks come; where it does not say when, as they are listed. Jobs that name a provider are in no class and left out. */
export function inOrderOfComing ({ market, jobs, jobStart }: Kernel, { tasks }: Rows): Int32Array {
  const order = [...tasks.keys()].sort((left, right) => (tasks[left]?.span?.fromS ?? 0) - (tasks[right]?.span?.fromS ?? 0) || left - right)
  const places = new Int32Array(tasks.length).fill(-1)
  jobs.classes.forEach((jobClass, at) => jobClass.jobs.forEach((job, rank) => {
    // A book numbers its jobs as the rows do.
    places[market.jobs[job]?.offer.jobNumber as number] = (jobStart[at] as number) + rank
  }))
  return Int32Array.from(order, (task) => places[task] as number).filter((place) => place >= 0)
}
