import { ASKS, type Applicant, type Estimate } from './estimate.ts'
import type { Market } from './market.ts'
import type { Seating } from './seating.ts'
import type { Kind, Waiting } from './waiting.ts'

/** Jobs that are tried for room that was made. */
const TRIES = 32

/** A kind on an offer: its next member, and what any of it costs there. */
interface Choice { readonly kind: Kind, readonly offer: number, readonly cost: number, at: number, surplus: number }

/** Gives a unit's room to jobs that wait: those that earn most over what they cost there, until nobody fits. */
export function createRefill (market: Market, { offers, asks, costOn }: Estimate, seating: Seating, waiting: Waiting): (unit: number) => void {
  const offersOf: number[][] = market.units.map(() => [])
  for (const offer of offers) (offersOf[market.unitOf[offer] as number] as number[]).push(offer)

  const choicesOn = (unit: number): Choice[] => {
    const room = seating.roomOf(unit)
    const choices: Choice[] = []
    for (const offer of offersOf[unit] as readonly number[]) {
      for (const kind of waiting.within(room, asks.subarray(offer * ASKS, (offer + 1) * ASKS))) {
        const first = kind.members[0] as Applicant
        const cost = seating.mayFit(first, unit) ? costOn(first, offer) : Number.POSITIVE_INFINITY
        if (cost < Number.POSITIVE_INFINITY) choices.push({ kind, offer, cost, at: 0, surplus: first.bid - cost })
      }
    }
    return choices
  }
  return (unit) => {
    const choices = choicesOn(unit)
    for (let tries = 0; tries < TRIES && choices.length > 0;) {
      const best = choices.reduce((found, choice) => choice.surplus > found.surplus ? choice : found)
      const applicant = best.kind.members[best.at]
      // A member with a lower limit may be asked too much, and room shrinks.
      if (applicant === undefined || !seating.mayFit(applicant, unit) || costOn(applicant, best.offer) === Number.POSITIVE_INFINITY) {
        choices.splice(choices.indexOf(best), 1)
        continue
      }
      tries++
      const seat = seating.find(applicant, best.offer)
      if (seat === undefined) {
        best.at++
      } else {
        waiting.delete(applicant.id)
        seating.sit(seat)
      }
      best.surplus = (best.kind.members[best.at]?.bid ?? Number.NEGATIVE_INFINITY) - best.cost
    }
  }
}
