import { admissible } from './admissible.ts'
import { devicesFor, type Devices } from './devices.ts'
import type { Market } from './market.ts'
import { collateralFor, priceFor } from './price.ts'
import type { JobRow, OfferRow } from './problem.ts'

/** What matches leave of a market's units, devices and collateral. Jobs need not be the market's. */
export interface Rest {
  /** Per unit: CPU, memory, disk. Per unit and place: share, bp. */
  readonly free: Float64Array
  readonly shares: readonly number[][]
  /** Devices on which the pair is admissible and fits beside the rest; undefined when there are none. */
  roomFor: (job: JobRow, offerAt: number) => Devices | undefined
  /** Takes what the match needs, or gives it back with -1. */
  move: (job: JobRow, offerAt: number, devices: Devices, sign: 1 | -1) => void
}

export function createRest (market: Market): Rest {
  const free = Float64Array.from(market.units.flatMap(({ cpuMilli, memoryMiB, diskMiB }) => [cpuMilli, memoryMiB, diskMiB]))
  const shares = market.devices.map((unit) => [...unit])
  const money = [...market.accounts]
  return {
    free,
    shares,
    roomFor: (job, offerAt) => {
      const row = market.offers[offerAt] as OfferRow
      const unit = market.unitOf[offerAt] as number
      const own = shares[unit] as number[]
      // The offer as it is now: what is admissible on that fits beside the rest.
      const rest: OfferRow = {
        ...row, freeCollateral: money[market.accountOf[offerAt] as number] as number,
        offer: {
          ...row.offer, capacity: { cpuMilli: free[unit * 3] as number, memoryMiB: free[unit * 3 + 1] as number, diskMiB: free[unit * 3 + 2] as number },
          gpus: row.offer.gpus.map((device, place) => ({ ...device, shareBp: own[place] as number }))
        }
      }
      const devices = devicesFor(job.offer, rest.offer)
      return devices !== undefined && admissible(job, rest, market, devices).ok ? devices : undefined
    },
    move: ({ offer }, offerAt, devices, sign) => {
      const unit = market.unitOf[offerAt] as number
      const { cpuMilli, memoryMiB, diskMiB } = offer.resources
      free[unit * 3] = (free[unit * 3] as number) - sign * cpuMilli
      free[unit * 3 + 1] = (free[unit * 3 + 1] as number) - sign * memoryMiB
      free[unit * 3 + 2] = (free[unit * 3 + 2] as number) - sign * diskMiB
      const own = shares[unit] as number[]
      devices.forEach((place, entry) => { own[place] = (own[place] as number) - sign * (offer.gpus[entry]?.shareBp as number) })
      const account = market.accountOf[offerAt] as number
      const lock = collateralFor(priceFor(offer, (market.offers[offerAt] as OfferRow).offer, market.rules, devices), market.rules, offer)
      money[account] = (money[account] as number) - sign * lock
    }
  }
}
