import { hash } from 'node:crypto'

/**
 * Who goes first when the book is full: lowest weight, then highest sha-256 of the name. The order depends on nothing but the
 * name and its weight, so "keep the first n" of any union is the same whatever came first.
 * A binary heap with the next to go on top, made when the book is first found full: before, nothing is spent on it. Names that
 * left otherwise are skipped when they surface, and swept out when they could be half of the heap.
 */
export interface Eviction {
  /** Names what is now held. */
  add: (name: string) => void
  /** Whether a newcomer would be the first to go, before any that is held. */
  isNext: (name: string) => boolean
  /** Removes and returns the next to go. */
  pop: () => string | undefined
  /** Weights have changed. */
  reset: () => void
}

/** Below this a sweep is not worth its while. */
const MIN_SWEEP = 1024
/** Characters of the hash that are compared: 12 bytes (protocol/book.md). */
const ORDER_CHARS = 24

interface Rank { name: string, weight: number, order: string }

/** @param held - what is in the book, by name. */
export function createEviction (held: { has: (name: string) => boolean, keys: () => Iterable<string> }, weightOf: (name: string) => number): Eviction {
  let heap: Rank[] | undefined
  let sweepAt = MIN_SWEEP
  const rankOf = (name: string): Rank => ({ name, weight: weightOf(name), order: hash('sha256', name, 'hex').slice(0, ORDER_CHARS) })

  const ranks = (): Rank[] => {
    if (heap === undefined) {
      heap = [...held.keys()].map(rankOf)
      heapify(heap)
      sweepAt = Math.max(MIN_SWEEP, 2 * heap.length)
    }
    return heap
  }
  const sweep = (full: Rank[]): void => {
    const kept = new Map(full.filter(({ name }) => held.has(name)).map((rank) => [rank.name, rank]))
    full.splice(0, full.length, ...kept.values())
    heapify(full)
    sweepAt = Math.max(MIN_SWEEP, 2 * full.length)
  }
  const top = (): Rank | undefined => {
    const all = ranks()
    while (all.length > 0 && !held.has((all[0] as Rank).name)) removeTop(all)
    return all[0]
  }
  return {
    add: (name) => {
      if (heap === undefined) return
      if (heap.length >= sweepAt) sweep(heap)
      heap.push(rankOf(name))
      siftUp(heap)
    },
    isNext: (name) => {
      const first = top()
      return first === undefined || isBefore(rankOf(name), first)
    },
    pop: () => {
      const first = top()
      if (first !== undefined) removeTop(ranks())
      return first?.name
    },
    reset: () => { heap = undefined }
  }
}

function isBefore (a: Rank, b: Rank): boolean {
  return a.weight === b.weight ? a.order > b.order : a.weight < b.weight
}

function heapify (heap: Rank[]): void {
  for (let parent = (heap.length >> 1) - 1; parent >= 0; parent--) siftDown(heap, parent)
}

function siftDown (heap: Rank[], from: number): void {
  for (let parent = from; ;) {
    let first = parent
    for (const child of [2 * parent + 1, 2 * parent + 2]) {
      if (child < heap.length && isBefore(heap[child] as Rank, heap[first] as Rank)) first = child
    }
    if (first === parent) return
    swap(heap, parent, first)
    parent = first
  }
}

function siftUp (heap: Rank[]): void {
  for (let child = heap.length - 1; child > 0;) {
    const parent = (child - 1) >> 1
    if (!isBefore(heap[child] as Rank, heap[parent] as Rank)) return
    swap(heap, child, parent)
    child = parent
  }
}

function removeTop (heap: Rank[]): void {
  const last = heap.pop() as Rank
  if (heap.length === 0) return
  heap[0] = last
  siftDown(heap, 0)
}

function swap (heap: Rank[], a: number, b: number): void {
  const kept = heap[a] as Rank
  heap[a] = heap[b] as Rank
  heap[b] = kept
}
