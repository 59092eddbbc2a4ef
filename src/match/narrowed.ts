import type { Address } from '../wire/shapes.ts'
import { admissible } from './admissible.ts'
import { devicesFor } from './devices.ts'
import type { Kernel } from './kernel/kernel.ts'
import type { Market } from './market.ts'
import { collateralFor, priceFor } from './price.ts'
import type { JobRow, Match, OfferRow } from './problem.ts'

/** The matches, and where these leave room, jobs for listed providers and offers for listed creators: each counts one tick. */
export function placeNarrowed ({ market, jobs, units }: Kernel, matches: readonly Match[]): Match[] {
  const all = [...matches]
  const left = createRest(market, matches)
  const offersOf = byAccount(market.offers)
  for (const at of jobs.narrowed) {
    const { offer } = market.jobs[at] as JobRow
    tryPairs([at], offer.targets.flatMap((account) => offersOf.get(account) ?? []))
  }
  if (units.narrowed.length > 0) {
    const jobsOf = byAccount(market.jobs)
    for (const at of units.narrowed) tryPairs((market.offers[at] as OfferRow).offer.creators.flatMap((account) => jobsOf.get(account) ?? []), [at])
  }
  return all

  function tryPairs (jobsAt: readonly number[], offersAt: readonly number[]): void {
    for (const jobAt of jobsAt) {
      const match = offersAt.reduce<Match | undefined>((found, offerAt) => found ?? left.take(jobAt, offerAt), undefined)
      if (match !== undefined) all.push(match)
    }
  }
}

/** What matches leave of units, devices, collateral and job numbers. */
function createRest (market: Market, matches: readonly Match[]): { take: (jobAt: number, offerAt: number) => Match | undefined } {
  const free = market.units.map((unit) => ({ ...unit }))
  const shares = market.devices.map((unit) => [...unit])
  const money = [...market.accounts]
  const tasks = new Set<number>()

  const use = (jobAt: number, offerAt: number, devices: readonly number[]): void => {
    const job = market.jobs[jobAt] as JobRow
    const unit = market.unitOf[offerAt] as number
    const room = free[unit] as { cpuMilli: number, memoryMiB: number, diskMiB: number }
    room.cpuMilli -= job.offer.resources.cpuMilli
    room.memoryMiB -= job.offer.resources.memoryMiB
    room.diskMiB -= job.offer.resources.diskMiB
    devices.forEach((place, entry) => { (shares[unit] as number[])[place] = (shares[unit]?.[place] as number) - (job.offer.gpus[entry]?.shareBp as number) })
    const account = market.accountOf[offerAt] as number
    money[account] = (money[account] as number) - collateralFor(priceFor(job.offer, (market.offers[offerAt] as OfferRow).offer, market.rules, devices), market.rules, job.offer)
    for (const task of market.tasksOf[jobAt] as readonly number[]) tasks.add(task)
  }
  for (const { job, offer, devices } of matches) use(market.jobIndex.get(job) as number, market.offerIndex.get(offer) as number, devices)

  return {
    take: (jobAt, offerAt) => {
      const job = market.jobs[jobAt] as JobRow
      if ((market.copies[jobAt] as number) > 1 || (market.groupOf[jobAt] as number) >= 0 || (market.tasksOf[jobAt] as readonly number[]).some((task) => tasks.has(task))) return undefined
      const row = market.offers[offerAt] as OfferRow
      const unit = market.unitOf[offerAt] as number
      // The offer as it is now: what is admissible on that fits beside the rest.
      const rest: OfferRow = {
        ...row, freeCollateral: money[market.accountOf[offerAt] as number] as number,
        offer: { ...row.offer, capacity: free[unit] as OfferRow['offer']['capacity'], gpus: row.offer.gpus.map((device, place) => ({ ...device, shareBp: shares[unit]?.[place] as number })) }
      }
      const devices = devicesFor(job.offer, rest.offer)
      if (devices === undefined || !admissible(job, rest, market, devices).ok) return undefined
      use(jobAt, offerAt, devices)
      return { job: job.id, offer: row.id, devices }
    }
  }
}

function byAccount (rows: ReadonlyArray<{ account: Address }>): Map<Address, number[]> {
  const places = new Map<Address, number[]>()
  rows.forEach(({ account }, at) => { places.set(account, [...places.get(account) ?? [], at]) })
  return places
}
