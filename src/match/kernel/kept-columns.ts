import type { Bidders } from './bidders.ts'
import type { ColumnRoom } from './column-room.ts'
import type { Making } from './columns.ts'
import type { JobClass, JobClasses } from './job-classes.ts'
import type { UnitClass, UnitClasses } from './unit-classes.ts'

/** Per number of access of units and of jobs: whether rules of access let them together. */
export type Allowed = ReadonlyArray<readonly boolean[]>

/** What of an earlier epoch's columns holds. */
export interface Kept {
  /** Per unit class: its place before; -1: it is new. */
  readonly units: Int32Array
  /** Per job class: 1 when its columns on such units are among those that are copied. */
  readonly isKept: Uint8Array
  /** Columns of the unit class at a place before. */
  readonly countOf: (place: number) => number
  /** Copies what holds of the columns of one of its supplies, from place `count` on; the place after them. */
  readonly copy: (place: number, supply: number, out: ColumnRoom, count: number) => number
}

interface Now { readonly jobs: JobClasses, readonly units: UnitClasses, readonly bidders: Bidders, readonly allowed: Allowed }

/**
 * Columns hang on the units' identity, on the jobs' shape and largest limit, and on whether their rules of access let them together. Where all of that is as it was,
 * they are as they were, but for the numbers of job classes and runs.
 */
export function keptOf (before: Making, now: Now): Kept {
  const units = sameUnits(before.units, now.units)
  const classOf = sameJobs(before, now, accessPairs(before.units, now.units, units))
  const isKept = new Uint8Array(now.jobs.classes.length)
  for (const at of classOf) if (at >= 0) isKept[at] = 1
  const runOf = movedRuns(before, now.bidders, classOf)
  const { start, run, cost, ask, supplies } = before.columns
  return {
    units, isKept,
    countOf: (place) => (start[place + 1] as number) - (start[place] as number),
    copy: (place, supply, out, count) => {
      const { run: outRun, cost: outCost, ask: outAsk } = out
      const from = (supplies.start[place] as number) + supply
      const end = supplies.first[from + 1] as number
      let next = count
      for (let at = supplies.first[from] as number; at < end; at++) {
        const now = runOf[run[at] as number] as number
        if (now < 0) continue
        outRun[next] = now
        outCost[next] = cost[at] as number
        outAsk[next++] = ask[at] as number
      }
      return next
    }
  }
}

function sameUnits (before: UnitClasses, now: UnitClasses): Int32Array {
  if (before === now) return Int32Array.from(now.classes.keys())
  const places = new Map(before.classes.map(({ identity }, place) => [identity, place]))
  return Int32Array.from(now.classes, ({ identity }) => places.get(identity) ?? -1)
}

/** Numbers of access before and now of what is the same offer. */
function accessPairs (before: UnitClasses, now: UnitClasses, units: Int32Array): Array<[number, number]> {
  const pairs = new Map<string, [number, number]>()
  now.classes.forEach(({ accesses }, at) => {
    const place = units[at] as number
    if (place < 0) return
    accesses.forEach((access, alternative) => {
      const old = (before.classes[place] as UnitClass).accesses[alternative] as number
      pairs.set(`${old} ${access}`, [old, access])
    })
  })
  return [...pairs.values()]
}

/** Per job class of before: the one that has its columns now; -1: none has. */
function sameJobs (before: Making, now: Now, pairs: ReadonlyArray<[number, number]>): Int32Array {
  const letInBefore = before.jobs.accesses.map((_, access) => pairs.map(([unit]) => Number(before.allowed[unit]?.[access])).join(''))
  const letInNow = now.jobs.accesses.map((_, access) => pairs.map(([, unit]) => Number(now.allowed[unit]?.[access])).join(''))
  const keyOf = ({ shape, jobs, access }: JobClass, limits: Float64Array, letIn: readonly string[]): string => `${shape.number} ${limits[jobs[0] as number]} ${letIn[access]}`
  const places = new Map<string, number[]>()
  now.jobs.classes.forEach((jobClass, at) => {
    const key = keyOf(jobClass, now.jobs.limits, letInNow)
    const others = places.get(key)
    if (others === undefined) places.set(key, [at])
    else others.push(at)
  })
  return Int32Array.from(before.jobs.classes, (jobClass) => places.get(keyOf(jobClass, before.jobs.limits, letInBefore))?.pop() ?? -1)
}

/** Per run before: the same now, for the classes that are kept; -1 for others. */
function movedRuns (before: Making, bidders: Bidders, classOf: Int32Array): Int32Array {
  const moved = new Int32Array(before.columns.runs.job.length).fill(-1)
  for (const biddings of before.bidders.asked()) {
    const now = bidders.biddingsOn(biddings.device)
    classOf.forEach((at, old) => { if (at >= 0 && (biddings.run[old] as number) >= 0) moved[biddings.run[old] as number] = bidders.ask(now, at) })
  }
  return moved
}
