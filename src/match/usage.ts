import type { Facts } from './facts/facts.ts'
import { DEVICE, ENTRY, JOB, OFFER } from './facts/layout.ts'
import type { Market } from './market.ts'

/** What the matches of a solution use up together (protocol/matching.md, Verification). */
export type UsageCode = 'MATCH_DEVICES' | 'MATCH_OVER_CAPACITY' | 'MATCH_OVER_COLLATERAL'

/** Takes match after match; `job` and `offer` are places in the facts. */
export interface Usage { take: (offerAt: number, job: number, offer: number, devices: readonly number[], collateral: number) => UsageCode | undefined }

/** CPU, memory, disk. */
const PLAIN = 3

/** Nothing is used yet. A unit has no more than each of its offers that is used states. */
export function createUsage (market: Market, { jobs, offers, entries, devices: stated }: Facts): Usage {
  const isNamed = new Uint8Array(market.offers.length)
  /** Per unit: of the offers that are named, the least of each; and what of it is used. Demands are below 2^31 each and at most MAX_MATCHES: sums stay safe. */
  const has = new Float64Array(market.units.length * PLAIN).fill(Number.POSITIVE_INFINITY)
  const used = new Float64Array(market.units.length * PLAIN)
  /** The same of device shares; unit u has the places from start[u] on. Infinity: no offer that is named lists a device there. */
  const start = new Int32Array(market.units.length + 1)
  market.devices.forEach((places, unit) => { start[unit + 1] = (start[unit] as number) + places.length })
  const free = new Float64Array(start[market.units.length] as number).fill(Number.POSITIVE_INFINITY)
  const shares = new Float64Array(free.length)
  const locked = new Float64Array(market.accounts.length)

  const name = (unit: number, offer: number): void => {
    for (let row = 0; row < PLAIN; row++) has[unit * PLAIN + row] = Math.min(has[unit * PLAIN + row] as number, offers[offer + OFFER.cpuMilli + row] as number)
    const first = start[unit] as number
    for (let place = 0; place < (offers[offer + OFFER.devices] as number); place++) {
      const share = stated[(offers[offer + OFFER.firstDevice] as number) + place * DEVICE.width + DEVICE.shareBp] as number
      if (share < (free[first + place] as number)) free[first + place] = share
    }
  }
  const hasDevices = (unit: number, job: number, places: readonly number[]): boolean => {
    const first = start[unit] as number
    const entry = jobs[job + JOB.firstEntry] as number
    for (let at = 0; at < places.length; at++) {
      const device = first + (places[at] as number)
      shares[device] = (shares[device] as number) + (entries[entry + at * ENTRY.width + ENTRY.shareBp] as number)
    }
    // All of them: an alternative that is named now may have less of any.
    for (let device = first; device < (start[unit + 1] as number); device++) if ((shares[device] as number) > (free[device] as number)) return false
    return true
  }
  const hasCapacity = (unit: number, job: number): boolean => {
    let isWithin = true
    for (let row = 0; row < PLAIN; row++) {
      const at = unit * PLAIN + row
      used[at] = (used[at] as number) + (jobs[job + JOB.cpuMilli + row] as number)
      if ((used[at] as number) > (has[at] as number)) isWithin = false
    }
    return isWithin
  }
  return {
    take: (offerAt, job, offer, devices, collateral) => {
      const unit = market.unitOf[offerAt] as number
      if (isNamed[offerAt] === 0) {
        isNamed[offerAt] = 1
        name(unit, offer)
      }
      if (!hasDevices(unit, job, devices)) return 'MATCH_DEVICES'
      if (!hasCapacity(unit, job)) return 'MATCH_OVER_CAPACITY'
      const account = market.accountOf[offerAt] as number
      // Subtracted, not added: the sum of two safe integers need not be one.
      if (collateral > (market.accounts[account] as number) - (locked[account] as number)) return 'MATCH_OVER_COLLATERAL'
      locked[account] = (locked[account] as number) + collateral
      return undefined
    }
  }
}
