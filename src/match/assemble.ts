import type { Kernel } from './kernel/kernel.ts'
import { supplyOfColumn } from './kernel/supplies.ts'
import type { Match } from './problem.ts'
import { PLACE } from './search/search.ts'

/** The matches of places (`Found.places`): the classes' jobs by rank, the units' offers by alternative. */
export function matchesOf ({ market, jobs, units, columns }: Kernel, places: Int32Array): Match[] {
  const members = jobs.classes.flatMap((jobClass) => jobClass.jobs)
  const unitMembers = units.classes.flatMap(({ units: own }, unitClass) => own.map(({ offers }) => ({ offers, unitClass })))
  const matches: Match[] = []
  for (let at = 0; at < places.length; at += PLACE) {
    const job = market.jobs[members[places[at] as number] as number]
    const { offers, unitClass } = unitMembers[places[at + 2] as number] as (typeof unitMembers)[number]
    const offer = market.offers[offers[columns.supplies.alternative[supplyOfColumn(columns.supplies, unitClass, places[at + 1] as number)] as number] as number]
    if (job !== undefined && offer !== undefined) matches.push({ job: job.id, offer: offer.id, devices: bitsToDevices(places[at + 3] as number, places[at + 4] as number) })
  }
  return matches
}

/** Places 0 to 31 and 32 to 63 as bits, to places in ascending order. */
function bitsToDevices (low: number, high: number): number[] {
  const devices: number[] = []
  for (let place = 0; (low | high) !== 0 && place < 64; place++) if (((place < 32 ? low >>> place : high >>> (place - 32)) & 1) === 1) devices.push(place)
  return devices
}
