import type { Clock } from '../../core/clock.ts'

/** How long a solver lets consents gather before it commits: until none came for `quietMs`, `mostMs` after the first at the latest. */
export interface GatheringPace { readonly quietMs: number, readonly mostMs: number }

/** The matches of one epoch come within some 100 ms of each other where all is on one machine. */
export const DEVNET_PACE: GatheringPace = { quietMs: 40, mostMs: 400 }
export const PUBLIC_PACE: GatheringPace = { quietMs: 2_000, mostMs: 10_000 }

/** Collects items and hands all of them on at once when it is time; `flush` does so now. */
export interface Gathering<T> { add: (item: T) => void, flush: () => void, readonly items: readonly T[] }

export function createGathering<T> (components: { clock: Clock }, pace: GatheringPace, onReady: (items: T[]) => void): Gathering<T> {
  const { clock } = components
  let items: T[] = []
  let firstMs = 0
  let cancel = (): void => undefined
  const flush = (): void => {
    cancel()
    const ready = items
    items = []
    if (ready.length > 0) onReady(ready)
  }
  return {
    get items () { return items },
    flush,
    add: (item) => {
      if (items.length === 0) firstMs = clock.now()
      items.push(item)
      cancel()
      cancel = clock.after(Math.max(0, Math.min(pace.quietMs, firstMs + pace.mostMs - clock.now())), flush)
    }
  }
}
