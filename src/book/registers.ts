import type { Entry } from './book.ts'
import { createEviction } from './eviction.ts'
import { registerKey } from './register.ts'

/**
 * What one shard holds, and who of it goes first when it is full (protocol/book.md, "Bounds"). Each shard is bounded by
 * itself, so that nodes which follow it keep the same registers whatever else they follow.
 */
export interface Registers {
  readonly size: number
  entries: () => Iterable<Entry>
  add: (entry: Entry) => void
  delete: (entry: Entry) => void
  /** Has `remove` take out who must go for a new register; false when that would be the newcomer itself. */
  makeRoom: (entry: Entry, remove: (entry: Entry) => void) => boolean
  /** Weights have changed: finds the free tier anew and has `remove` take out what does not fit in it. */
  reweigh: (remove: (entry: Entry) => void) => void
}

export function createRegisters (weightOf: (account: Entry['record']['account']) => number, { maxRegisters, maxFree }: { maxRegisters: number, maxFree: number }): Registers {
  /** Of accounts with weight, and without. */
  const weighty = new Set<Entry>()
  const free = new Set<Entry>()
  const naming = { nameOf: ({ record }: Entry) => registerKey(record), weightOf: ({ record }: Entry) => weightOf(record.account) }
  const eviction = createEviction({ has: (entry: Entry) => weighty.has(entry) || free.has(entry), values: () => [...weighty, ...free] }, naming)
  const freeEviction = createEviction(free, naming)
  const size = (): number => weighty.size + free.size

  return {
    get size () { return size() },
    entries: function * () {
      yield * weighty
      yield * free
    },
    add: (entry) => {
      eviction.add(entry)
      if (weightOf(entry.record.account) > 0) {
        weighty.add(entry)
        return
      }
      free.add(entry)
      freeEviction.add(entry)
    },
    delete: (entry) => {
      if (!free.delete(entry)) weighty.delete(entry)
    },
    makeRoom: (entry, remove) => {
      const isFreeFull = weightOf(entry.record.account) === 0 && free.size >= maxFree
      if ((isFreeFull && freeEviction.isNext(entry)) || (size() >= maxRegisters && eviction.isNext(entry))) return false
      if (isFreeFull) remove(freeEviction.pop() as Entry)
      if (size() >= maxRegisters) remove(eviction.pop() as Entry)
      return true
    },
    reweigh: (remove) => {
      const all = [...weighty, ...free]
      weighty.clear()
      free.clear()
      for (const entry of all) (weightOf(entry.record.account) > 0 ? weighty : free).add(entry)
      eviction.reset()
      freeEviction.reset()
      while (free.size > maxFree) remove(freeEviction.pop() as Entry)
    }
  }
}
