import { pricesOf } from './certificate.ts'
import type { Warm } from './engine.ts'
import type { Kernel } from './kernel/kernel.ts'
import type { Program } from './search/program.ts'
import type { WarmStart } from './search/search.ts'

/** What the last epoch ended with, in this epoch's numbers. Jobs and offers that are gone are left out; places keep their class and unit, not their job or devices. */
export function warmStartOf (kernel: Kernel, program: Program, { matches, certificate }: Warm): WarmStart {
  const { market, jobs, units, columns } = kernel
  const classOf = new Map<string, number>()
  jobs.classes.forEach((jobClass, at) => { for (const member of jobClass.jobs) classOf.set(market.jobs[member]?.id ?? '', at) })
  const unitOf = new Map<string, { unit: number, alternative: number }>()
  let next = 0
  for (const unitClass of units.classes) {
    for (const { offers } of unitClass.units) {
      offers.forEach((offer, alternative) => { unitOf.set(market.offers[offer]?.id ?? '', { unit: next, alternative }) })
      next++
    }
  }
  const columnOf = new Map<number, number>()
  const keyOf = (unitClass: number, job: number, alternative: number): number => (unitClass * jobs.classes.length + job) * 64 + alternative
  for (let unit = 0; unit < units.classes.length; unit++) {
    for (let column = columns.start[unit] as number; column < (columns.start[unit + 1] as number); column++) {
      if (Number.isFinite(columns.lock[column] as number)) columnOf.set(keyOf(unit, columns.job[column] as number, columns.alternative[column] as number), column)
    }
  }
  const places: number[] = []
  for (const { job, offer } of matches) {
    const jobClass = classOf.get(job)
    const place = unitOf.get(offer)
    if (jobClass === undefined || place === undefined) continue
    const column = columnOf.get(keyOf(program.unitClass[place.unit] as number, jobClass, place.alternative))
    if (column !== undefined) places.push(0, column, place.unit, 0, 0)
  }
  return { places: Int32Array.from(places), ...(certificate === undefined ? {} : { prices: pricesOf(kernel, certificate) }) }
}

