import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../core/clock.ts'
import { errorCode, errorMessage } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { Inventory } from '../wire/fleet.ts'
import type { FleetDocument } from './document.ts'
import { FLEET } from './options.ts'
import { wantedState } from './view.ts'

/** What a node says of itself; the state is the fleet's to say. */
export type FleetFacts = Omit<Inventory, 'state'>

/** Keeps this node's inventory in the document: when it changes, and now and then as a sign of life. */
export interface InventoryTeller {
  start: () => void
  stop: () => void
  /** The facts, or what the fleet asks, may have changed. */
  touch: () => void
}

export function createInventoryTeller (components: { document: FleetDocument, clock: Clock, logger: Logger }, options: { facts: () => FleetFacts }): InventoryTeller {
  const { document, clock, logger } = components
  let stated: { inventory: Inventory, atMs: number } | undefined
  let pending: { atMs: number, cancel: () => void } | undefined
  let cancelRestate = (): void => undefined

  const inventory = (): Inventory => {
    const facts = options.facts()
    const wanted = wantedState(document, document.self)
    return { ...facts, state: wanted === 'open' ? 'open' : wanted === 'cordon' ? 'cordoned' : facts.openDeals > 0 ? 'draining' : 'drained' }
  }
  const state = async (): Promise<void> => {
    const now = inventory()
    const ageMs = clock.now() - (stated?.atMs ?? 0)
    // A little less than the time after which it is called for, since timers are not exact.
    if (isDeepStrictEqual(stated?.inventory, now) && ageMs < FLEET.restateMs - FLEET.inventoryMs) return
    // Whoever waits for a node waits for its state; what is free under load may come later.
    if (stated?.inventory.state === now.state && stated.inventory.askBp === now.askBp && ageMs < FLEET.inventoryMs) {
      gather(FLEET.inventoryMs - ageMs)
      return
    }
    stated = { inventory: now, atMs: clock.now() }
    await document.describe(now)
  }
  const gather = (delayMs: number): void => {
    const atMs = clock.now() + delayMs
    if (pending !== undefined && pending.atMs <= atMs) return
    pending?.cancel()
    const cancel = clock.after(delayMs, () => {
      pending = undefined
      state().catch((error: unknown) => {
        stated = undefined
        logger.warn('fleet.inventory', { code: errorCode(error), error: errorMessage(error) })
      })
    })
    pending = { atMs, cancel }
  }
  const touch = (): void => { gather(FLEET.gatherMs) }
  const restate = (): void => {
    touch()
    cancelRestate = clock.after(FLEET.restateMs, restate)
  }
  return {
    touch,
    start: restate,
    stop: () => {
      pending?.cancel()
      cancelRestate()
    }
  }
}
