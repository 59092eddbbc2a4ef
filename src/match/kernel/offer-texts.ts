import type { ResourceOffer } from '../../wire/resource-offer.ts'
import type { OfferRow } from '../problem.ts'
import { isTicked } from '../ticks.ts'

/** An offer as protocol/certificate.md, Classes of units writes it, without its capacity and the free shares of its devices. */
export interface OfferText {
  readonly key: string
  /** The part that decides whom it serves, besides amounts. */
  readonly access: string
  readonly reputation: string
  readonly isTicked: boolean
}

/** Most of a book stays from epoch to epoch: what an offer says is written once. */
const known = new WeakMap<ResourceOffer, OfferText>()

export function offerTextOf ({ offer, reputationBp }: OfferRow): OfferText {
  const reputation = JSON.stringify(reputationBp ?? null)
  const found = known.get(offer)
  if (found?.reputation === reputation) return found
  const { ask: { base, cpuMilliSecond, memoryMiBSecond, diskMiBSecond }, gpus, maxRunSeconds, collateral, engines, modules, market, mediators, mediatorSets, freeFrom } = offer
  const asks = JSON.stringify([base, cpuMilliSecond, memoryMiBSecond, diskMiBSecond, gpus.map(({ model, vramMiB, secondAsk }) => [model, vramMiB, secondAsk]), maxRunSeconds, collateral])
  const access = `${JSON.stringify([engines, modules, market, mediators, mediatorSets, freeFrom]).slice(1, -1)},${reputation}]`
  const text = { key: `${asks.slice(0, -1)},${access}`, access, reputation, isTicked: isTicked(offer) }
  known.set(offer, text)
  return text
}
