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
  /** The last of the unit class's columns for the job on that alternative that engines may use. A unit class has few: looked for only where a match was. */
  const findColumn = (unitClass: number, job: number, alternative: number): number => {
    let column = (columns.start[unitClass + 1] as number) - 1
    while (column >= (columns.start[unitClass] as number) && !(columns.job[column] === job && columns.alternative[column] === alternative && Number.isFinite(columns.lock[column] as number))) column--
    return column < (columns.start[unitClass] as number) ? -1 : column
  }
  const places: number[] = []
  for (const { job, offer } of matches) {
    const jobClass = classOf.get(job)
    const place = unitOf.get(offer)
    if (jobClass === undefined || place === undefined) continue
    const column = findColumn(program.unitClass[place.unit] as number, jobClass, place.alternative)
    if (column >= 0) places.push(0, column, place.unit, 0, 0)
  }
  return { places: Int32Array.from(places), ...(certificate === undefined ? {} : { prices: pricesOf(kernel, certificate) }) }
}

