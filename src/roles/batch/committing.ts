import type { Chain, ChainEvent } from '../../chain/chain.ts'
import type { Clock } from '../../core/clock.ts'
import { errorCode, errorMessage } from '../../core/errors.ts'
import type { Logger } from '../../core/logger.ts'
import { leastExpiry } from '../../deal/batched.ts'
import type { Address } from '../../wire/shapes.ts'
import type { Domain } from '../../wire/typed-data.ts'
import { createGathering, type GatheringPace } from './gathering.ts'
import { createOwnBatch, type GatheredDeal, type OwnBatch } from './own-batch.ts'
import { isOver, type OwnBatches } from './own-batches.ts'
import type { OwnStore } from './own-store.ts'
import { packBatches } from './pack.ts'

/** Gathers consents and commits them, each in one batch. */
export interface Committing {
  /** Promised, and in no batch so far. */
  readonly waiting: readonly GatheredDeal[]
  add: (deal: GatheredDeal) => void
  /** Sends a batch's commit (again); its deals are gathered anew when the chain refuses it. */
  commit: (batch: OwnBatch) => Promise<void>
}

/** Beyond what the parties ask for: the commit takes its time. */
const EXPIRY_MARGIN_SECONDS = 60
const ALL = (1n << 256n) - 1n

export function createCommitting (
  components: { chain: Pick<Chain, 'address' | 'send' | 'slot' | 'blockTime'>, own: OwnBatches, store: OwnStore, clock: Clock, logger: Logger, onEvent: (event: ChainEvent) => Promise<void> },
  options: { context: { domain: Domain, batches: Address, solver: Address }, pace: GatheringPace, signal: AbortSignal }
): Committing {
  const { chain, own, store, clock, logger } = components
  const { context, signal } = options

  const isTaken = async (slot: number): Promise<boolean> => {
    if (own.has(slot)) return true
    const { id, resolved } = await chain.slot(chain.address, slot)
    return BigInt(id) !== 0n && resolved !== ALL
  }
  const commit = async (batch: OwnBatch): Promise<void> => {
    try {
      const receipt = await chain.send(batch.commitCall(), { name: 'commit', signal })
      logger.info('batch.committed', { slot: batch.slot, leaves: batch.deals.length, gas: receipt.gas, hash: receipt.hash })
      for (const event of receipt.events) await components.onEvent(event)
    } catch (error) {
      if (signal.aborted || batch.place !== undefined) return
      logger.warn('batch.refused', { slot: batch.slot, error: errorMessage(error) })
      await again(batch, errorCode(error) === 'CHAIN_REVERTED').catch((failure: unknown) => { logger.error('batch.again', { error: errorMessage(failure) }) })
    }
  }
  /** One deal that the chain refuses must not take the others with it: they are halved until it stands alone, and is dropped. */
  const again = async (batch: OwnBatch, isRefused: boolean): Promise<void> => {
    const { deals } = batch
    const isDropped = isRefused && deals.length === 1
    // Gathered before the batch goes: a promise is on disk whenever the node may die.
    if (!isDropped) for (const deal of deals) await store.gather(deal)
    await own.forget(batch)
    if (isDropped) return
    if (!isRefused) {
      for (const deal of deals) gathering.add(deal)
      return
    }
    const half = Math.ceil(deals.length / 2)
    for (const part of [deals.slice(0, half), deals.slice(half)]) inTurn(part)
  }
  const commitAll = async (gathered: readonly GatheredDeal[]): Promise<void> => {
    const now = await chain.blockTime()
    const late = gathered.filter((deal) => isOver({ deals: [deal] }, now))
    if (late.length > 0) await store.drop(late)
    for (const deals of packBatches(gathered.filter((deal) => !late.includes(deal)))) {
      let slot = 0
      while (await isTaken(slot)) slot++
      const batch = createOwnBatch(context, { slot, expiry: Math.max(...deals.map(({ terms }) => leastExpiry(terms))) + EXPIRY_MARGIN_SECONDS, deals })
      await own.add(batch)
      void commit(batch)
    }
  }
  // One after the other: two at once would look for the same free slot.
  let committing: Promise<void> = Promise.resolve()
  const inTurn = (deals: readonly GatheredDeal[]): void => {
    committing = committing.then(async () => { await commitAll(deals) }).catch((error: unknown) => {
      if (signal.aborted) return
      logger.warn('batch.commit', { deals: deals.length, error: errorMessage(error) })
      for (const deal of deals) if (!own.all().some((batch) => batch.deals.includes(deal))) gathering.add(deal)
    })
  }
  const gathering = createGathering<GatheredDeal>({ clock }, options.pace, inTurn)
  return { get waiting () { return gathering.items }, add: gathering.add, commit }
}
