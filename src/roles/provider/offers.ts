import type { Author } from '../../book/author.ts'
import type { BookReplica } from '../../book/replica.ts'
import type { Clock } from '../../core/clock.ts'
import { errorMessage } from '../../core/errors.ts'
import type { Logger } from '../../core/logger.ts'
import { tickFor } from '../../match/ticks.ts'
import type { Ask, ResourceOffer } from '../../wire/resource-offer.ts'
import { bodyShard, slotAt, slotShard } from '../../wire/shard.ts'
import type { Address, Hash } from '../../wire/shapes.ts'
import type { CapacityLedger } from './capacity.ts'

/** What may change while the provider runs: what it asks, and whether it takes new deals at all. */
export interface OfferPolicy { ask: () => Ask, isOpen: () => boolean }

/** Publishes one resource offer per unit with what is free now, and again when that, its price or its age asks for it; none while the policy is closed. */
export interface OfferPublisher {
  /** Takes out offers of an earlier run for units that are no more. */
  withdrawStale: () => Promise<void>
  /** Brings the book in line with the ledger and the policy; calls in one turn become one update. */
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

/** `template` is everything of the offer but unit, capacity, GPUs, price and validity. */
export function createOfferPublisher (
  components: { author: Author, replica: Pick<BookReplica, 'publish' | 'book'>, ledger: CapacityLedger, policy: OfferPolicy, clock: Clock, logger: Logger },
  options: { template: Omit<ResourceOffer, 'unit' | 'capacity' | 'gpus' | 'ask' | 'validUntil' | 'mediators'>, mediators: () => Promise<Address[]>, validMs: number, firstPlace: number }
): OfferPublisher {
  const { ledger, policy, author, replica, clock, logger } = components
  const issued = new Map<Hash, string>()
  const published = new Map<string, { text: string, atMs: number }>()
  const slots = new Map([...ledger.units.keys()].map((unit, index) => [unit, slotAt(bodyShard({ market: options.template.market, gpus: ledger.gpus(unit) }), options.firstPlace + index)]))
  let pending: (() => void) | undefined
  let work: Promise<void> = Promise.resolve()

  const publishUnit = async (unit: string): Promise<void> => {
    const capacity = ledger.free(unit)
    const gpus = ledger.gpus(unit).map((device) => ({ ...device, secondAsk: tickFor(device.secondAsk) }))
    const mediators = await options.mediators()
    const ask = policy.ask()
    const text = JSON.stringify([capacity, gpus, ask, mediators])
    const last = published.get(unit)
    if (last?.text === text && clock.now() - last.atMs < options.validMs / 2) return
    const record = await author.put('offer', slots.get(unit) as number, { ...options.template, ask, mediators, unit, capacity, gpus, validUntil: clock.now() + options.validMs })
    issued.set(record.id, unit)
    published.set(unit, { text, atMs: clock.now() })
    await replica.publish(record)
  }
  /** Also what an earlier run left in the book. */
  const withdrawAll = async (): Promise<void> => {
    const living = new Set(author.living(clock.now()).filter(({ kind }) => kind === 'offer').map(({ slot }) => slot))
    for (const [unit, slot] of slots) {
      if (published.delete(unit) || living.has(slot)) await replica.publish(await author.cancel(slot))
    }
  }
  const publishAll = async (): Promise<void> => {
    if (!policy.isOpen()) return await withdrawAll()
    for (const unit of ledger.units.keys()) await publishUnit(unit)
  }
  return {
    unitOf: (offerId) => issued.get(offerId),
    settled: () => work,
    withdrawStale: async () => {
      const current = new Set(slots.values())
      for (const { kind, slot } of author.living(clock.now())) {
        // Where the node does not follow its shard any more, an offer ends by itself.
        if (kind === 'offer' && !current.has(slot) && replica.book.shards.includes(slotShard(slot))) await replica.publish(await author.cancel(slot))
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
