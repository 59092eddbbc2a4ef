import { hash } from 'node:crypto'

/**
 * Who goes first when the book is full: lowest weight, then highest sha-256 of the register's name. The order depends on
 * nothing but the register, so "keep the first n" of any union is the same whatever came first.
 * A binary heap with the next to go on top; names that left otherwise are skipped when they surface, and swept out when
 * they could be half of the heap.
 */
export interface Eviction {
  /** Names a register that is now held. */
  add: (name: string, weight: number) => void
  /** Whether a newcomer would be the first to go, before any that is held. */
  isNext: (name: string, weight: number) => boolean
  /** Removes and returns the next to go. */
  pop: () => string | undefined
}

/** Below this a sweep is not worth its while. */
const MIN_SWEEP = 1024

interface Rank { name: string, weight: number, order: string }

/** @param isHeld - whether a name is still in the book. */
export function createEviction (isHeld: (name: string) => boolean): Eviction {
  let heap: Rank[] = []
  let sweepAt = MIN_SWEEP
  const rankOf = (name: string, weight: number): Rank => ({ name, weight, order: hash('sha256', name, 'hex').slice(0, 24) })
  const isBefore = (a: Rank, b: Rank): boolean => a.weight === b.weight ? a.order > b.order : a.weight < b.weight

  const sweep = (): void => {
    const kept = new Map(heap.filter(({ name }) => isHeld(name)).map((rank) => [rank.name, rank]))
    // A sorted array is a heap.
    heap = [...kept.values()].sort((a, b) => isBefore(a, b) ? -1 : 1)
    sweepAt = Math.max(MIN_SWEEP, 2 * heap.length)
  }
  const at = (index: number): Rank => heap[index] as Rank
  const swap = (a: number, b: number): void => { const kept = at(a); heap[a] = at(b); heap[b] = kept }
  const removeTop = (): void => {
    const last = heap.pop() as Rank
    if (heap.length === 0) return
    heap[0] = last
    for (let parent = 0; ;) {
      let first = parent
      for (const child of [2 * parent + 1, 2 * parent + 2]) {
        if (child < heap.length && isBefore(at(child), at(first))) first = child
      }
      if (first === parent) return
      swap(parent, first)
      parent = first
    }
  }
  const top = (): Rank | undefined => {
    while (heap.length > 0 && !isHeld(at(0).name)) removeTop()
    return heap[0]
  }
  return {
    add: (name, weight) => {
      if (heap.length >= sweepAt) sweep()
      heap.push(rankOf(name, weight))
      for (let child = heap.length - 1; child > 0;) {
        const parent = (child - 1) >> 1
        if (!isBefore(at(child), at(parent))) break
        swap(child, parent)
        child = parent
      }
    },
    isNext: (name, weight) => {
      const first = top()
      return first === undefined || isBefore(rankOf(name, weight), first)
    },
    pop: () => {
      const first = top()
      if (first !== undefined) removeTop()
      return first?.name
    }
  }
}
