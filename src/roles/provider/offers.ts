import type { Author } from '../../book/author.ts'
import type { BookReplica } from '../../book/replica.ts'
import type { Clock } from '../../core/clock.ts'
import { errorMessage } from '../../core/errors.ts'
import type { Logger } from '../../core/logger.ts'
import type { ResourceOffer } from '../../wire/resource-offer.ts'
import type { Address, Hash } from '../../wire/shapes.ts'
import type { CapacityLedger } from './capacity.ts'

/** Publishes one resource offer per unit with what is free now, and again when that changes or the offer ages. */
export interface OfferPublisher {
  /** Takes out offers of an earlier run for units that are no more. */
  withdrawStale: () => Promise<void>
  /** Brings the book in line with the ledger; calls in one turn become one update. */
  refresh: () => void
  /** The unit that one of our offers, current or recent, speaks of. */
  unitOf: (offerId: Hash) => string | undefined
  /** Resolves when what was asked for is published. */
  settled: () => Promise<void>
  /** Withdraws every offer. */
  withdraw: () => Promise<void>
}

/** Changes are gathered this long, so that a burst of consents makes one record per unit. */
const GATHER_MS = 50

/** `template` is everything of the offer but unit, capacity and validity. */
export function createOfferPublisher (
  components: { author: Author, replica: Pick<BookReplica, 'publish'>, ledger: CapacityLedger, clock: Clock, logger: Logger },
  options: { template: Omit<ResourceOffer, 'unit' | 'capacity' | 'validUntil' | 'mediators'>, mediators: () => Promise<Address[]>, validMs: number, firstSlot: number }
): OfferPublisher {
  const { ledger, author, replica, clock, logger } = components
  const issued = new Map<Hash, string>()
  const published = new Map<string, { text: string, atMs: number }>()
  const slots = new Map([...ledger.units.keys()].map((unit, index) => [unit, options.firstSlot + index]))
  let pending: (() => void) | undefined
  let work: Promise<void> = Promise.resolve()

  const publishUnit = async (unit: string): Promise<void> => {
    const capacity = ledger.free(unit)
    const mediators = await options.mediators()
    const text = JSON.stringify([capacity, mediators])
    const last = published.get(unit)
    if (last?.text === text && clock.now() - last.atMs < options.validMs / 2) return
    const record = await author.put('offer', slots.get(unit) as number, { ...options.template, mediators, unit, capacity, validUntil: clock.now() + options.validMs })
    issued.set(record.id, unit)
    published.set(unit, { text, atMs: clock.now() })
    await replica.publish(record)
  }
  const publishAll = async (): Promise<void> => {
    for (const unit of ledger.units.keys()) await publishUnit(unit)
  }
  return {
    unitOf: (offerId) => issued.get(offerId),
    settled: () => work,
    withdrawStale: async () => {
      const current = new Set(slots.values())
      for (const { kind, slot } of author.living(clock.now())) {
        if (kind === 'offer' && !current.has(slot)) await replica.publish(await author.cancel(slot))
      }
    },
    refresh: () => {
      if (pending !== undefined) return
      pending = clock.after(GATHER_MS, () => {
        pending = undefined
        work = work.then(publishAll).catch((error: unknown) => { logger.error('offers.publish', { error: errorMessage(error) }) })
      })
    },
    withdraw: async () => {
      pending?.()
      await work
      for (const slot of slots.values()) await replica.publish(await author.cancel(slot))
    }
  }
}
