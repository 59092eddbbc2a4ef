import type { Hash } from '../wire/shapes.ts'
import type { Applicant } from './estimate.ts'
import { PLAIN_ROWS } from './kernel/share-rows.ts'
import { BP } from './options.ts'

/** Jobs that wait for room. What decides whether there may be room is kept in columns, since every job is asked whenever a unit has some. */
export interface Waiting {
  has: (id: Hash) => boolean
  set: (applicant: Applicant) => void
  delete: (id: Hash) => boolean
  /** Those that ask for no more CPU, memory, disk and devices than `room` has, and are asked no more than their limit at `ask` (`Estimate.asks`). */
  within: (room: readonly number[], ask: Float64Array) => Applicant[]
}

/** CPU, memory, disk, devices, sum of shares, seconds, limit. */
const COLUMNS = 7

/** Room for so many at first; it doubles. */
export function createWaiting (room: number): Waiting {
  let asked = new Float64Array(Math.max(1, room) * COLUMNS)
  const applicants: Applicant[] = []
  const slots = new Map<Hash, number>()
  const write = (applicant: Applicant, slot: number): void => {
    const { demand, gpus, row: { offer: { runSeconds, limit } } } = applicant
    applicants[slot] = applicant
    slots.set(applicant.id, slot)
    asked.set([...demand.subarray(0, PLAIN_ROWS), gpus, demand[PLAIN_ROWS] as number, runSeconds, limit], slot * COLUMNS)
  }
  return {
    has: (id) => slots.has(id),
    set: (applicant) => {
      if (applicants.length * COLUMNS === asked.length) {
        const larger = new Float64Array(asked.length * 2)
        larger.set(asked)
        asked = larger
      }
      write(applicant, applicants.length)
    },
    delete: (id) => {
      const slot = slots.get(id)
      if (slot === undefined) return false
      slots.delete(id)
      const last = applicants.pop() as Applicant
      // The last one moves into the gap.
      if (slot < applicants.length) write(last, slot)
      return true
    },
    within: ([cpuMilli = 0, memoryMiB = 0, diskMiB = 0, devices = 0], ask) => {
      const [base = 0, cpu = 0, memory = 0, disk = 0, gpu = 0] = ask
      const found: Applicant[] = []
      for (let slot = 0, at = 0; slot < applicants.length; slot++, at += COLUMNS) {
        const [ownCpu, ownMemory, ownDisk] = [asked[at] as number, asked[at + 1] as number, asked[at + 2] as number]
        if (ownCpu > cpuMilli || ownMemory > memoryMiB || ownDisk > diskMiB || (asked[at + 3] as number) > devices) continue
        const perSecond = ownCpu * cpu + ownMemory * memory + ownDisk * disk + (asked[at + 4] as number) * gpu / BP
        if (base + (asked[at + 5] as number) * perSecond <= (asked[at + 6] as number)) found.push(applicants[slot] as Applicant)
      }
      return found
    }
  }
}
