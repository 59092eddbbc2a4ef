import type { Chain, ChainEvent } from '../../chain/chain.ts'
import type { Clock } from '../../core/clock.ts'
import { leavesWord } from '../../deal/batched.ts'
import type { Hash } from '../../wire/shapes.ts'
import type { GatheredDeal, OwnBatch } from './own-batch.ts'
import type { OwnStore } from './own-store.ts'

/** The batches of this solver that are not over, and the last that are, by slot, as the chain's events move them. */
export interface OwnBatches {
  readonly all: () => OwnBatch[]
  has: (slot: number) => boolean
  find: (id: Hash) => OwnBatch | undefined
  /** The deal in the first batch that has it. */
  dealOf: (dealId: Hash) => GatheredDeal | undefined
  /** Notes a batch on disk, which takes its deals out of what is gathered. */
  add: (batch: OwnBatch) => Promise<void>
  /** One from disk. */
  restore: (batch: OwnBatch) => void
  /** Forgets a batch: it will never be committed, or no re-org reaches it. */
  forget: (batch: OwnBatch) => Promise<void>
  /** Forgets what has been resolved for long, and what nobody can accuse this solver over any more. */
  sweep: (blockTime: number) => Promise<void>
  /** Resolves to the batch when the event told where it stands. */
  onEvent: (event: ChainEvent) => Promise<OwnBatch | undefined>
  onLost: (event: ChainEvent) => Promise<void>
}

/** A re-org may bring back what was resolved: so many of those batches are kept, for so long. Their slots are not used meanwhile. */
const KEPT = 32
const KEPT_MS = 600_000

export function createOwnBatches (components: { chain: Pick<Chain, 'address' | 'slot' | 'deployment'>, store: OwnStore, clock: Clock }): OwnBatches {
  const { chain, store, clock } = components
  /** When each batch was first seen resolved, in this order. */
  const resolvedAtMs = new Map<OwnBatch, number>()
  const bySlot = new Map<number, OwnBatch>()
  const all = (): OwnBatch[] => [...bySlot.values()]
  const find = (id: Hash): OwnBatch | undefined => all().find(({ place }) => place?.id === id)

  const forget = async (batch: OwnBatch): Promise<void> => {
    resolvedAtMs.delete(batch)
    if (bySlot.get(batch.slot) !== batch) return
    bySlot.delete(batch.slot)
    await store.forget(batch)
  }
  const { unbondSeconds } = chain.deployment.parameters
  /** Until when its slot is needed to answer for a promise whose leaf was void: the last accusation, and the time to answer it. Unix seconds. */
  const accusableUntil = (batch: OwnBatch): number => Math.max(0, ...batch.voidDeals().map(({ deal }) => deal.terms.core.openBy + Math.ceil(unbondSeconds * 3 / 8)))
  const sweep = async (blockTime: number): Promise<void> => {
    for (const batch of all()) {
      if (batch.live !== 0n) resolvedAtMs.delete(batch)
      else if (!resolvedAtMs.has(batch)) resolvedAtMs.set(batch, clock.now())
    }
    const idle = [...resolvedAtMs].filter(([batch]) => accusableUntil(batch) < blockTime)
    for (const [index, [batch, atMs]] of idle.entries()) if (index < idle.length - KEPT || clock.now() > atMs + KEPT_MS) await forget(batch)
  }
  const onCommitted = async ({ args: { id, solver, voided }, blockTime }: ChainEvent & { name: 'BatchCommitted' }): Promise<OwnBatch | undefined> => {
    if (solver !== chain.address || find(id) !== undefined) return undefined
    // To tell an id takes many hashes: one for a batch that has another comes after a re-org alone.
    const [placed, unplaced] = [all().filter(({ place }) => place !== undefined), all().filter(({ place }) => place === undefined)]
    const batch = [...unplaced, ...placed].find((each) => each.idAt(blockTime, voided) === id)
    if (batch === undefined) return undefined
    batch.put({ id, committedAt: blockTime, voided: `0x${voided.toString(16).padStart(64, '0')}` })
    await store.place(batch)
    return batch
  }
  return {
    all, find, forget, sweep,
    dealOf: (dealId) => all().map((batch) => batch.dealOf(dealId)).find((deal) => deal !== undefined),
    onEvent: async (event) => {
      if (event.contract !== 'batches') return undefined
      if (event.name === 'BatchCommitted') return await onCommitted(event)
      const leaves = event.name === 'BatchSettled' || event.name === 'BatchExpired' ? event.args.leaves : event.name === 'LeafClaimed' ? BigInt(leavesWord([event.args.leaf])) : 0n
      const batch = leaves === 0n || !('id' in event.args) ? undefined : find(event.args.id)
      batch?.resolve(leaves)
      return undefined
    },
    has: (slot) => bySlot.has(slot),
    add: async (batch) => {
      bySlot.set(batch.slot, batch)
      try {
        await store.put(batch)
      } catch (error) {
        bySlot.delete(batch.slot)
        throw error
      }
    },
    restore: (batch) => { bySlot.set(batch.slot, batch) },
    // The same transaction is sent again by the queue of this key, and gives a commit another id.
    onLost: async (event) => {
      const batch = event.contract === 'batches' && 'id' in event.args ? find(event.args.id) : undefined
      if (batch?.place === undefined) return
      const { place } = batch
      const { id, resolved } = await chain.slot(chain.address, batch.slot)
      if (id === place.id) {
        batch.put(place)
        batch.resolve(resolved)
      } else if (event.name === 'BatchCommitted') batch.put(undefined)
    }
  }
}

/** Whether nobody can be served by its commit any more. */
export function isOver ({ deals }: { deals: readonly GatheredDeal[] }, blockTime: number): boolean {
  return deals.every(({ terms: { core } }) => core.openBy < blockTime)
}
