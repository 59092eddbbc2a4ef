import { hash } from 'node:crypto'

/**
 * Who goes first when the book is full: lowest weight, then highest sha-256 of the name. The order depends on nothing but the
 * name and its weight, so "keep the first n" of any union is the same whatever came first.
 * A binary heap with the next to go on top, made when the book is first found full: before, nothing is spent on it. Who left
 * otherwise is skipped when it surfaces, and swept out when it could be half of the heap.
 */
export interface Eviction<T> {
  /** Tells what is now held. */
  add: (item: T) => void
  /** Whether a newcomer would be the first to go, before any that is held. */
  isNext: (item: T) => boolean
  /** Removes and returns the next to go. */
  pop: () => T | undefined
  /** Weights have changed. */
  reset: () => void
}

/** Below this a sweep is not worth its while. */
const MIN_SWEEP = 1024
/** Characters of the hash that are compared: 12 bytes (protocol/book.md). */
const ORDER_CHARS = 24

interface Rank<T> { item: T, weight: number, order: string }

/** @param held - what is in the book. */
export function createEviction<T> (held: { has: (item: T) => boolean, values: () => Iterable<T> }, { nameOf, weightOf }: { nameOf: (item: T) => string, weightOf: (item: T) => number }): Eviction<T> {
  let heap: Array<Rank<T>> | undefined
  let sweepAt = MIN_SWEEP
  const rankOf = (item: T): Rank<T> => ({ item, weight: weightOf(item), order: hash('sha256', nameOf(item), 'hex').slice(0, ORDER_CHARS) })

  const ranks = (): Array<Rank<T>> => {
    if (heap === undefined) {
      heap = [...held.values()].map(rankOf)
      heapify(heap)
      sweepAt = Math.max(MIN_SWEEP, 2 * heap.length)
    }
    return heap
  }
  const sweep = (full: Array<Rank<T>>): void => {
    const kept = new Map(full.filter(({ item }) => held.has(item)).map((rank) => [rank.item, rank]))
    full.splice(0, full.length, ...kept.values())
    heapify(full)
    sweepAt = Math.max(MIN_SWEEP, 2 * full.length)
  }
  const top = (): Rank<T> | undefined => {
    const all = ranks()
    while (all.length > 0 && !held.has((all[0] as Rank<T>).item)) removeTop(all)
    return all[0]
  }
  return {
    add: (item) => {
      if (heap === undefined) return
      if (heap.length >= sweepAt) sweep(heap)
      heap.push(rankOf(item))
      siftUp(heap)
    },
    isNext: (item) => {
      const first = top()
      return first === undefined || isBefore(rankOf(item), first)
    },
    pop: () => {
      const first = top()
      if (first !== undefined) removeTop(ranks())
      return first?.item
    },
    reset: () => { heap = undefined }
  }
}

type Ranked = Pick<Rank<unknown>, 'weight' | 'order'>

function isBefore (a: Ranked, b: Ranked): boolean {
  return a.weight === b.weight ? a.order > b.order : a.weight < b.weight
}

function heapify<T extends Ranked> (heap: T[]): void {
  for (let parent = (heap.length >> 1) - 1; parent >= 0; parent--) siftDown(heap, parent)
}

function siftDown<T extends Ranked> (heap: T[], from: number): void {
  for (let parent = from; ;) {
    let first = parent
    for (const child of [2 * parent + 1, 2 * parent + 2]) {
      if (child < heap.length && isBefore(heap[child] as T, heap[first] as T)) first = child
    }
    if (first === parent) return
    swap(heap, parent, first)
    parent = first
  }
}

function siftUp<T extends Ranked> (heap: T[]): void {
  for (let child = heap.length - 1; child > 0;) {
    const parent = (child - 1) >> 1
    if (!isBefore(heap[child] as T, heap[parent] as T)) return
    swap(heap, child, parent)
    child = parent
  }
}

function removeTop<T extends Ranked> (heap: T[]): void {
  const last = heap.pop() as T
  if (heap.length === 0) return
  heap[0] = last
  siftDown(heap, 0)
}

function swap<T extends Ranked> (heap: T[], a: number, b: number): void {
  const kept = heap[a] as T
  heap[a] = heap[b] as T
  heap[b] = kept
}
