import type { Hash } from '../wire/shapes.ts'
import type { Applicant } from './estimate.ts'
import { PLAIN_ROWS } from './kernel/share-rows.ts'
import { BP } from './integers.ts'

/** Jobs that wait and differ in nothing but their limit, the largest first: what one costs somewhere, all cost. */
export interface Kind { readonly key: string, readonly members: Applicant[] }

/** Jobs that wait for room, by kinds. What decides whether there may be room is kept in columns, since every kind is asked whenever a unit has some. */
export interface Waiting {
  has: (id: Hash) => boolean
  set: (applicant: Applicant) => void
  delete: (id: Hash) => boolean
  /** Kinds that ask for no more CPU, memory, disk and devices than `room` has, and of which one is asked no more than its limit at `ask` (`Estimate.asks`). */
  within: (room: readonly number[], ask: Float64Array) => Kind[]
}

/** CPU, memory, disk, devices, sum of shares, seconds, largest limit. */
const COLUMNS = 7
const FIRST_ROOM = 256

export function createWaiting (): Waiting {
  let asked = new Float64Array(FIRST_ROOM * COLUMNS)
  const kinds: Kind[] = []
  const slots = new Map<string, number>()
  const applicants = new Map<Hash, Applicant>()

  const write = (kind: Kind, slot: number): void => {
    const { demand, gpus, row: { offer: { runSeconds, limit } } } = kind.members[0] as Applicant
    kinds[slot] = kind
    slots.set(kind.key, slot)
    asked.set([...demand.subarray(0, PLAIN_ROWS), gpus, demand[PLAIN_ROWS] as number, runSeconds, limit], slot * COLUMNS)
  }
  const grow = (): void => {
    const larger = new Float64Array(asked.length * 2)
    larger.set(asked)
    asked = larger
  }
  return {
    has: (id) => applicants.has(id),
    set: (applicant) => {
      applicants.set(applicant.id, applicant)
      const slot = slots.get(applicant.kind)
      if (slot === undefined) {
        if (kinds.length * COLUMNS === asked.length) grow()
        write({ key: applicant.kind, members: [applicant] }, kinds.length)
        return
      }
      const kind = kinds[slot] as Kind
      kind.members.splice(placeOf(kind.members, applicant.row.offer.limit), 0, applicant)
      asked[slot * COLUMNS + COLUMNS - 1] = (kind.members[0] as Applicant).row.offer.limit
    },
    delete: (id) => {
      const applicant = applicants.get(id)
      if (applicant === undefined) return false
      applicants.delete(id)
      const slot = slots.get(applicant.kind) as number
      const { members } = kinds[slot] as Kind
      members.splice(members.indexOf(applicant, placeOf(members, applicant.row.offer.limit)), 1)
      if (members.length > 0) {
        asked[slot * COLUMNS + COLUMNS - 1] = (members[0] as Applicant).row.offer.limit
        return true
      }
      slots.delete(applicant.kind)
      const last = kinds.pop() as Kind
      // The last one moves into the gap.
      if (slot < kinds.length) write(last, slot)
      return true
    },
    within: ([cpuMilli = 0, memoryMiB = 0, diskMiB = 0, devices = 0], ask) => {
      const [base = 0, cpu = 0, memory = 0, disk = 0, gpu = 0] = ask
      const found: Kind[] = []
      for (let slot = 0, at = 0; slot < kinds.length; slot++, at += COLUMNS) {
        const [ownCpu, ownMemory, ownDisk] = [asked[at] as number, asked[at + 1] as number, asked[at + 2] as number]
        if (ownCpu > cpuMilli || ownMemory > memoryMiB || ownDisk > diskMiB || (asked[at + 3] as number) > devices) continue
        const perSecond = ownCpu * cpu + ownMemory * memory + ownDisk * disk + (asked[at + 4] as number) * gpu / BP
        if (base + (asked[at + 5] as number) * perSecond <= (asked[at + 6] as number)) found.push(kinds[slot] as Kind)
      }
      return found
    }
  }
}

/** The first place of a limit in members of falling limits. */
function placeOf (members: readonly Applicant[], limit: number): number {
  let low = 0
  let high = members.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((members[middle] as Applicant).row.offer.limit > limit) low = middle + 1
    else high = middle
  }
  return low
}
