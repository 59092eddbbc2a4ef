import type { Resources } from '../wire/job-offer.ts'
import type { Market } from './market.ts'
import { isTickOffer } from './score.ts'
import { isTicked } from './ticks.ts'

/**
 * The most that a solution can have of each unit. It has the smallest of the alternatives that it names (protocol/matching.md, What rows share), so a bound counts
 * with the largest of all that stand for the unit (protocol/certificate.md, Classes of units); a market's own `units` and `devices` have the smallest.
 */
export interface Widest {
  /** Per unit, component by component; the market's own where no alternative stands for it. */
  readonly units: readonly Resources[]
  /** Per unit and place: free share, bp. */
  readonly devices: ReadonlyArray<readonly number[]>
}

const known = new WeakMap<Market, Widest>()
const wide = new WeakMap<Market, Market>()

/** Whether the offer stands for its unit: valid, ticked, for everybody and in time. */
export function standsForUnit ({ stated, atMs }: Pick<Market, 'stated' | 'atMs'>, at: number): boolean {
  const row = stated[at]
  return row !== undefined && row.offer.validUntil > atMs && !isTickOffer(row) && isTicked(row.offer)
}

/** Of a market and of what `widened` makes of it the same. */
export function widestOf (market: Market): Widest {
  let widest = known.get(market)
  if (widest === undefined) {
    widest = findWidest(market)
    known.set(market, widest)
  }
  return widest
}

/** The market in which every unit has its most; the same market where that is what its units have. */
export function widened (market: Market): Market {
  let found = wide.get(market)
  if (found === undefined) {
    found = widen(market, widestOf(market))
    wide.set(market, found)
  }
  return found
}

function findWidest (market: Market): Widest {
  // Without alternatives there is nothing to compare.
  if (market.units.length === market.offers.length) return { units: market.units, devices: market.devices }
  const units: Array<Resources | undefined> = market.units.map(() => undefined)
  const devices: number[][] = market.units.map(() => [])
  market.stated.forEach(({ offer: { capacity, gpus } }, at) => {
    if (!standsForUnit(market, at)) return
    const unit = market.unitOf[at] as number
    const before = units[unit]
    units[unit] = before === undefined ? capacity : largest(before, capacity)
    const free = devices[unit] as number[]
    gpus.forEach(({ shareBp }, place) => { free[place] = Math.max(free[place] ?? 0, shareBp) })
  })
  return { units: units.map((most, unit) => most ?? market.units[unit] as Resources), devices: devices.map((free, unit) => units[unit] === undefined ? market.devices[unit] as readonly number[] : free) }
}

function widen (market: Market, widest: Widest): Market {
  const { units, devices } = widest
  if (units === market.units) return market
  const isWider = units.map((unit, at) => !isSame(unit, market.units[at] as Resources) || (devices[at] as readonly number[]).join() !== (market.devices[at] as readonly number[]).join())
  if (!isWider.includes(true)) return market
  const offers = market.stated.map((row, at) => {
    const unit = market.unitOf[at] as number
    if (isWider[unit] !== true || !standsForUnit(market, at)) return market.offers[at] as typeof row
    return { ...row, offer: { ...row.offer, capacity: units[unit] as Resources, gpus: row.offer.gpus.map((device, place) => ({ ...device, shareBp: devices[unit]?.[place] as number })) } }
  })
  const widened = { ...market, offers, units, devices }
  known.set(widened, widest)
  return widened
}

function isSame (left: Resources, right: Resources): boolean {
  return left.cpuMilli === right.cpuMilli && left.memoryMiB === right.memoryMiB && left.diskMiB === right.diskMiB
}

function largest (left: Resources, right: Resources): Resources {
  return { cpuMilli: Math.max(left.cpuMilli, right.cpuMilli), memoryMiB: Math.max(left.memoryMiB, right.memoryMiB), diskMiB: Math.max(left.diskMiB, right.diskMiB) }
}
