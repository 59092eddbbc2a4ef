import type { Hash } from '../wire/shapes.ts'
import { pricesOf } from './certificate.ts'
import type { Warm } from './engine.ts'
import type { Kernel } from './kernel/kernel.ts'
import { BOUNDS_ONLY, supplyOfColumn } from './kernel/supplies.ts'
import { marketOf } from './market.ts'
import type { Program } from './search/program.ts'
import { PLACE, type WarmStart } from './search/search.ts'

/**
 * What the last epoch ended with, in this epoch's numbers. Places keep their class and unit, not their job or devices: where a job is gone, the next best of its
 * class takes its place. Jobs whose class is gone, and offers that are gone, are left out.
 */
export function warmStartOf (kernel: Kernel, program: Program, { matches, certificate, snapshot }: Warm): WarmStart {
  const { market, jobs, units, columns } = kernel
  const before = snapshot === undefined ? undefined : marketOf(snapshot)
  const classOf = (id: Hash): number => {
    const at = market.jobIndex.get(id)
    if (at !== undefined) return jobs.classOf[at] as number
    const gone = before?.jobs[before.jobIndex.get(id) ?? -1]
    return gone === undefined ? -1 : jobs.classLike(gone)
  }
  const unitOf = new Int32Array(market.offers.length).fill(-1)
  const alternativeOf = new Int32Array(market.offers.length)
  let next = 0
  for (const unitClass of units.classes) {
    for (const { offers } of unitClass.units) {
      offers.forEach((offer, alternative) => {
        unitOf[offer] = next
        alternativeOf[offer] = alternative
      })
      next++
    }
  }
  /** The last of the unit class's columns for the job on that alternative that engines may use. A unit class has few: looked for only where a match was. */
  const findColumn = (unitClass: number, job: number, alternative: number): number => {
    const first = columns.start[unitClass] as number
    const { alternative: alternatives, bound } = columns.supplies
    const isOn = (supply: number): boolean => alternatives[supply] === alternative && bound[supply] !== BOUNDS_ONLY
    let column = (columns.start[unitClass + 1] as number) - 1
    while (column >= first && !(columns.runs.job[columns.run[column] as number] === job && isOn(supplyOfColumn(columns.supplies, unitClass, column)))) column--
    return column < first ? -1 : column
  }
  const places = new Int32Array(matches.length * PLACE)
  let count = 0
  for (const { job, offer } of matches) {
    const jobClass = classOf(job)
    const offerAt = market.offerIndex.get(offer) ?? -1
    const unit = unitOf[offerAt] ?? -1
    if (jobClass < 0 || unit < 0) continue
    const column = findColumn(program.unitClass[unit] as number, jobClass, alternativeOf[offerAt] as number)
    if (column < 0) continue
    places[count * PLACE + 1] = column
    places[count++ * PLACE + 2] = unit
  }
  return { places: places.slice(0, count * PLACE), ...(certificate === undefined ? {} : { prices: pricesOf(kernel, certificate) }) }
}
