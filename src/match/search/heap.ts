/** A heap of numbered items, the largest value first. Nothing is allocated while it is used. */
export interface Heap {
  size: number
  /** Per place: the item and its value; place 0 is the largest once it is ordered. */
  readonly item: Int32Array
  readonly value: Float64Array
  /** Adds without order. */
  append: (item: number, value: number) => void
  /** Orders what was appended. */
  order: () => void
  /** Gives the first item another value, not larger than before. */
  lower: (value: number) => void
  /** Takes the first item out. */
  pop: () => void
}

/** Room for `room` items. */
export function createHeap (room: number): Heap {
  const item = new Int32Array(room)
  const value = new Float64Array(room)
  const sift = (from: number): void => {
    const { size } = heap
    const moved = item[from]!
    const worth = value[from]!
    let at = from
    for (let child = 2 * at + 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && value[child + 1]! > value[child]!) child++
      if (value[child]! <= worth) break
      item[at] = item[child]!
      value[at] = value[child]!
      at = child
    }
    item[at] = moved
    value[at] = worth
  }
  const heap: Heap = {
    size: 0, item, value,
    append: (of, worth) => {
      item[heap.size] = of
      value[heap.size++] = worth
    },
    order: () => { for (let at = (heap.size >> 1) - 1; at >= 0; at--) sift(at) },
    lower: (worth) => {
      value[0] = worth
      sift(0)
    },
    pop: () => {
      const last = --heap.size
      item[0] = item[last]!
      value[0] = value[last]!
      sift(0)
    }
  }
  return heap
}
