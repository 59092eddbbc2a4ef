import type { Certifier } from './certifier.ts'
import { askFor } from './price.ts'
import type { JobRow, OfferRow, Snapshot } from './problem.ts'

/** One job on one offer, whose price is wanted. */
export interface PricedPair { readonly job: JobRow, readonly offer: OfferRow, readonly devices: readonly number[] }

/** Component-wise lower median; a vector that is shorter has 0 there. */
export function lowerMedian (vectors: ReadonlyArray<readonly number[]>): number[] {
  const length = Math.max(0, ...vectors.map((vector) => vector.length))
  return Array.from({ length }, (_, at) => {
    const sorted = vectors.map((vector) => vector[at] ?? 0).sort((left, right) => left - right)
    return sorted[Math.floor((sorted.length - 1) / 2)] as number
  })
}

/**
 * clamp(ask + demand . rents, ask, limit) with the median rents of the certificates, nLILY; protocol/auction.md, Class price. The pair is admissible, so
 * that ask <= limit. Undefined without certificates: the price is `priceFor`'s.
 */
export function classPriceFor (certifier: Certifier, snapshot: Snapshot, certificates: readonly Uint8Array[], { job, offer, devices }: PricedPair): number | undefined {
  if (certificates.length === 0) return undefined
  const rents = lowerMedian(certificates.map((certificate) => certifier.rentsOf(snapshot, certificate, offer)))
  const rent = certifier.demandOf(job, offer, devices).reduce((sum, amount, at) => sum + BigInt(amount) * BigInt(rents[at] ?? 0), 0n)
  const price = BigInt(askFor(job.offer, offer.offer, devices)) + rent
  return price < BigInt(job.offer.limit) ? Number(price) : job.offer.limit
}

/** The class that a pair's price and fairness are looked at in: the model of its first device, `cpu` without devices. */
export function classOf ({ offer, devices }: Pick<PricedPair, 'offer' | 'devices'>): string {
  const [first] = devices
  return first === undefined ? 'cpu' : offer.offer.gpus[first]?.model ?? 'cpu'
}

/** Whether fewer than `minAccounts` accounts stand on a side of the class: its prices are what one of them names. Jobs that accept any model count in each. */
export function isThin (snapshot: Snapshot, name: string, minAccounts: number): boolean {
  const providers = new Set(snapshot.offers.filter(({ offer }) => name === 'cpu' || offer.gpus.some(({ model }) => model === name)).map(({ account }) => account))
  const creators = new Set(snapshot.jobs.filter(({ offer: { gpus } }) => name === 'cpu' ? gpus.length === 0 : gpus.some(({ models }) => models.length === 0 || models.includes(name))).map(({ account }) => account))
  return providers.size < minAccounts || creators.size < minAccounts
}
