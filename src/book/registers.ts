import type { Entry } from './book.ts'
import { createEviction } from './eviction.ts'

/**
 * The registers of one shard, and who of them goes first when it is full (protocol/book.md, "Bounds"). Each shard is bounded by
 * itself, so that nodes which follow it keep the same registers whatever else they follow.
 */
export interface Registers {
  readonly size: number
  get: (register: string) => Entry | undefined
  entries: () => Iterable<Entry>
  set: (register: string, entry: Entry) => void
  delete: (register: string) => void
  /** Has `remove` take out who must go for a new register; false when that would be the newcomer itself. */
  makeRoom: (register: string, remove: (entry: Entry) => void) => boolean
  /** Weights have changed: finds the free tier anew and has `remove` take out what does not fit in it. */
  reweigh: (remove: (entry: Entry) => void) => void
}

export function createRegisters (weightOf: (register: string) => number, { maxRegisters, maxFree }: { maxRegisters: number, maxFree: number }): Registers {
  const heads = new Map<string, Entry>()
  /** Registers of accounts without weight. */
  const free = new Set<string>()
  const eviction = createEviction(heads, weightOf)
  const freeEviction = createEviction(free, weightOf)
  const first = (of: typeof eviction): Entry => heads.get(of.pop() as string) as Entry

  return {
    get size () { return heads.size },
    get: (register) => heads.get(register),
    entries: () => heads.values(),
    set: (register, entry) => {
      const isNew = !heads.has(register)
      heads.set(register, entry)
      if (!isNew) return
      eviction.add(register)
      if (weightOf(register) > 0) return
      free.add(register)
      freeEviction.add(register)
    },
    delete: (register) => {
      heads.delete(register)
      free.delete(register)
    },
    makeRoom: (register, remove) => {
      const isFreeFull = weightOf(register) === 0 && free.size >= maxFree
      if ((isFreeFull && freeEviction.isNext(register)) || (heads.size >= maxRegisters && eviction.isNext(register))) return false
      if (isFreeFull) remove(first(freeEviction))
      if (heads.size >= maxRegisters) remove(first(eviction))
      return true
    },
    reweigh: (remove) => {
      free.clear()
      for (const register of heads.keys()) if (weightOf(register) === 0) free.add(register)
      eviction.reset()
      freeEviction.reset()
      while (free.size > maxFree) remove(first(freeEviction))
    }
  }
}
