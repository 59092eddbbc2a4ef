import type { Address } from '../wire/shapes.ts'
import type { Devices } from './devices.ts'
import type { Kernel } from './kernel/kernel.ts'
import type { Market } from './market.ts'
import type { JobRow, Match, OfferRow } from './problem.ts'
import { createRest } from './rest.ts'

/** The matches, and where these leave room, jobs for listed providers and offers for listed creators: each counts one tick. */
export function placeNarrowed ({ market, jobs, units }: Kernel, matches: readonly Match[]): Match[] {
  const all = [...matches]
  const left = createTaker(market, matches)
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

/** What matches leave of a market and of its job numbers. */
function createTaker (market: Market, matches: readonly Match[]): { take: (jobAt: number, offerAt: number) => Match | undefined } {
  const rest = createRest(market)
  const tasks = new Set<number>()
  const use = (jobAt: number, offerAt: number, devices: Devices): void => {
    rest.move(market.jobs[jobAt] as JobRow, offerAt, devices, 1)
    for (const task of market.tasksOf[jobAt] as readonly number[]) tasks.add(task)
  }
  for (const { job, offer, devices } of matches) use(market.jobIndex.get(job) as number, market.offerIndex.get(offer) as number, devices)
  return {
    take: (jobAt, offerAt) => {
      const job = market.jobs[jobAt] as JobRow
      if ((market.copies[jobAt] as number) > 1 || (market.groupOf[jobAt] as number) >= 0 || (market.tasksOf[jobAt] as readonly number[]).some((task) => tasks.has(task))) return undefined
      const devices = rest.roomFor(job, offerAt)
      if (devices === undefined) return undefined
      use(jobAt, offerAt, devices)
      return { job: job.id, offer: (market.offers[offerAt] as OfferRow).id, devices }
    }
  }
}

function byAccount (rows: ReadonlyArray<{ account: Address }>): Map<Address, number[]> {
  const places = new Map<Address, number[]>()
  rows.forEach(({ account }, at) => { places.set(account, [...places.get(account) ?? [], at]) })
  return places
}
