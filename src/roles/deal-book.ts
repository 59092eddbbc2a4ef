import { applyEvent, type Deal } from '../deal/deal.ts'
import { nextState, type DealEvent } from '../deal/transitions.ts'
import type { Journal } from '../deal/journal.ts'
import { isTerminal } from '../deal/states.ts'
import type { Clock } from '../core/clock.ts'
import type { Hash } from '../wire/shapes.ts'

/** The deals of one role: in memory for reading, journalled at every step. */
export interface DealBook {
  get: (dealId: Hash) => Deal | undefined
  all: () => Deal[]
  open: () => Deal[]
  /** Journals a new deal. */
  add: (deal: Deal) => Promise<void>
  /** Changes a deal and resolves when the change is on disk; the listener is called after that. */
  update: (deal: Deal, change: (deal: Deal) => void) => Promise<void>
  /** Applies an event that may have been seen before; false when it no longer belongs. */
  apply: (deal: Deal, event: DealEvent, change?: (deal: Deal) => void) => Promise<boolean>
  onUpdate: (listener: (deal: Deal) => void) => () => void
}

/** Loads the journal; what an earlier run left is there before the role answers anybody. */
export async function openDealBook (components: { journal: Journal, clock: Clock }): Promise<DealBook> {
  const { journal, clock } = components
  const deals = new Map((await journal.load()).map((deal) => [deal.dealId, deal]))
  const listeners = new Set<(deal: Deal) => void>()
  const save = async (deal: Deal): Promise<void> => {
    deal.updatedAtMs = clock.now()
    await journal.save(deal)
    for (const listener of listeners) listener(deal)
  }
  return {
    get: (dealId) => deals.get(dealId),
    all: () => [...deals.values()],
    open: () => [...deals.values()].filter((deal) => !isTerminal(deal.state)),
    add: async (deal) => {
      // Visible at once, so that a lane or a job is not given away twice while the disk works.
      deals.set(deal.dealId, deal)
      try {
        await journal.save(deal)
      } catch (error) {
        deals.delete(deal.dealId)
        throw error
      }
      for (const listener of listeners) listener(deal)
    },
    update: async (deal, change) => {
      change(deal)
      await save(deal)
    },
    apply: async (deal, event, change) => {
      if (nextState(deal.state, event) === undefined) return false
      change?.(deal)
      applyEvent(deal, event, clock.now())
      await save(deal)
      return true
    },
    onUpdate: (listener) => {
      listeners.add(listener)
      return () => { listeners.delete(listener) }
    }
  }
}
