import type { Address, Hash } from '../wire/shapes.ts'
import { RoleError } from './errors.ts'

/** Re-executions of a mediator (protocol/deal-room.md, Mediation): few at once, a bounded number that waits, and of one creator only some. */
export interface Reruns {
  /** Runs `work` when its turn comes; disputes go first. Rejects as `work`, with RoleError ROLE_MEDIATOR_FULL, or where it still waits with the signal's reason. */
  run: <T>(deal: { dealId: Hash, creator: Address, isDisputed: boolean }, work: () => Promise<T>) => Promise<T>
  /** The deal is disputed by now, wherever it waits. */
  urge: (dealId: Hash) => void
}

export const RERUN_LIMITS = { atOnce: 4, undisputedAtOnce: 3, undisputed: 32, ofCreator: 4, disputed: 32 }
type Limits = typeof RERUN_LIMITS
interface Entry { readonly dealId: Hash, readonly creator: Address, isDisputed: boolean, readonly begin: () => void }

/** Disputes have room of their own: who is silent there loses bond. They cost their creator a fee each, so that nobody's share of them is counted. */
export function createReruns ({ signal, limits = RERUN_LIMITS }: { signal: AbortSignal, limits?: Limits }): Reruns {
  const running = new Set<Entry>()
  const waiting = new Set<Entry>()

  const assertRoom = (creator: Address, isDisputed: boolean): void => {
    const same = [...running, ...waiting].filter((entry) => entry.isDisputed === isDisputed)
    const own = same.filter((entry) => entry.creator === creator).length
    if (same.length < (isDisputed ? limits.disputed : limits.undisputed) && (isDisputed || own < limits.ofCreator)) return
    throw new RoleError('ROLE_MEDIATOR_FULL', isDisputed || own < limits.ofCreator ? 'this mediator has as many deals to look at as it takes' : `${own} deals of ${creator} are being looked at or wait`, { data: { creator, own, all: same.length }, hint: 'Ask again later; a dispute on chain has room of its own.' })
  }
  const next = (): void => {
    while (running.size < limits.atOnce) {
      const hasRoom = [...running].filter(({ isDisputed }) => !isDisputed).length < limits.undisputedAtOnce
      const entry = [...waiting].find(({ isDisputed }) => isDisputed) ?? (hasRoom ? [...waiting][0] : undefined)
      if (entry === undefined) return
      waiting.delete(entry)
      running.add(entry)
      entry.begin()
    }
  }
  return {
    urge: (dealId) => {
      for (const entry of [...waiting, ...running]) if (entry.dealId === dealId) entry.isDisputed = true
      next()
    },
    run: async ({ dealId, creator, isDisputed }, work) => {
      signal.throwIfAborted()
      assertRoom(creator, isDisputed)
      const { promise, resolve, reject } = Promise.withResolvers<undefined>()
      const entry: Entry = { dealId, creator, isDisputed, begin: () => { resolve(undefined) } }
      const onAbort = (): void => { reject(signal.reason) }
      signal.addEventListener('abort', onAbort, { once: true })
      waiting.add(entry)
      next()
      try {
        await promise
        return await work()
      } finally {
        signal.removeEventListener('abort', onAbort)
        waiting.delete(entry)
        running.delete(entry)
        next()
      }
    }
  }
}
