import type { Resources } from '../../wire/job-offer.ts'
import type { Address } from '../../wire/shapes.ts'
import type { Market } from '../market.ts'
import type { OfferRow } from '../problem.ts'
import { isTickOffer } from '../score.ts'
import { widestOf } from '../widest.ts'
import { offerTextOf } from './offer-texts.ts'

/** Units that look alike: same capacity, devices, asks and rules of access, offer for offer. */
export interface UnitClass {
  /** One offer of each of its alternatives, in the order of their keys. */
  readonly offers: readonly OfferRow[]
  /** Which rules of access each has, as a number shared by classes. */
  readonly accesses: readonly number[]
  /** Members: units of the market, with their own offers (places in `market.offers`) in the same order. */
  readonly units: ReadonlyArray<{ unit: number, offers: readonly number[] }>
  /** Free share of each device of the unit, 1/10,000. */
  readonly shares: readonly number[]
  /** protocol/certificate.md, Classes of units: the text under which certificates put their prices. */
  readonly key: string
  /** What tells it from all others: the key, what engines have of the unit where that is less, and the account of a mediator. */
  readonly identity: string
}

export interface UnitClasses {
  readonly classes: readonly UnitClass[]
  /** An offer of each number of access. */
  readonly accesses: readonly OfferRow[]
  /** Offers for listed creators only: each of their pairs counts one tick. */
  readonly narrowed: readonly number[]
}

/** Groups the units that have a valid offer for everybody. `isMediator` tells accounts that some job or offer trusts: those are told apart. */
export function unitClassesOf (market: Market, isMediator: (account: Address) => boolean): UnitClasses {
  const accessNumbers = new Map<string, number>()
  const accesses: OfferRow[] = []
  const narrowed: number[] = []
  const alternatives: Array<Array<{ key: string, access: number, at: number }>> = market.units.map(() => [])
  market.offers.forEach((row, at) => {
    // As it is stated: texts are kept with offers, and say nothing of what alternatives share but reputation, which rows carry.
    const { key, access: rules, isTicked } = offerTextOf(market.stated[at] as OfferRow)
    if (row.offer.validUntil <= market.atMs || !isTicked) return
    if (isTickOffer(row)) {
      narrowed.push(at)
      return
    }
    const accessKey = isMediator(row.account) ? `${rules}${row.account}` : rules
    const access = accessNumbers.get(accessKey) ?? accesses.push(row) - 1
    accessNumbers.set(accessKey, access)
    alternatives[market.unitOf[at] as number]?.push({ key, access, at })
  })

  const widest = widestOf(market)
  const byIdentity = new Map<string, { offers: OfferRow[], accesses: number[], units: Array<{ unit: number, offers: number[] }>, shares: readonly number[], key: string, identity: string }>()
  alternatives.forEach((found, unit) => {
    if (found.length === 0) return
    found.sort((left, right) => left.key < right.key ? -1 : left.key > right.key ? 1 : left.at - right.at)
    const rows = found.map(({ at }) => market.offers[at] as OfferRow)
    const shares = market.devices[unit] as readonly number[]
    const key = `[${supplyOf(widest.units[unit] as Resources, widest.devices[unit] as readonly number[])},[${found.map((entry) => entry.key).join()}]]`
    const account = (rows[0] as OfferRow).account
    // Two units that may have the same at most, and have not for engines, are two classes with one text.
    const own = widest.units === market.units ? '' : supplyOf(market.units[unit] as Resources, shares)
    const identity = `${key}${own}${isMediator(account) ? account : ''}`
    const known = byIdentity.get(identity)
    const member = { unit, offers: found.map(({ at }) => at) }
    if (known === undefined) byIdentity.set(identity, { offers: rows, accesses: found.map(({ access }) => access), units: [member], shares, key, identity })
    else known.units.push(member)
  })
  return { classes: [...byIdentity.values()].sort((left, right) => left.key < right.key ? -1 : left.key > right.key ? 1 : 0), accesses, narrowed }
}

function supplyOf ({ cpuMilli, memoryMiB, diskMiB }: Resources, shares: readonly number[]): string {
  return `${cpuMilli},${memoryMiB},${diskMiB},[${shares.join()}]`
}
