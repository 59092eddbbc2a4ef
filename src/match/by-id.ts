import type { Hash } from '../wire/shapes.ts'

/** Where the row with an id stands. */
export interface Places { readonly get: (id: Hash) => number | undefined }

/** Rows in the order of their ids. `heads`: the first characters of each id as one number. */
export interface Sorted<T> extends Places { readonly rows: readonly T[], readonly heads: Float64Array }

/** Rows in order, and for each where a row of its id stood in an earlier list; -1: nowhere. */
export interface Resorted<T> { readonly sorted: Sorted<T>, readonly from: Int32Array }

interface Named { readonly id: Hash }

/** The first characters of an id that are compared as one number. */
const HEAD = 6
/** What ids start with. */
const PREFIX = '0x'.length

/** The rows in the order of their ids; equal ones are neighbours. Of rows that `before` has the order is known, which costs a third. */
export function sortedById<T extends Named> (rows: readonly T[], before?: Sorted<Named>): Resorted<T> {
  if (before === undefined) return sort(rows)
  const slots = new Int32Array(before.rows.length).fill(-1)
  const came: T[] = []
  rows.forEach((row, at) => {
    const place = before.get(row.id)
    if (place === undefined || slots[place] !== -1) came.push(row)
    else slots[place] = at
  })
  const { rows: others, heads: otherHeads } = sort(came).sorted
  const merged: T[] = []
  const heads = new Float64Array(rows.length)
  const from = new Int32Array(rows.length).fill(-1)
  let other = 0
  const takeOther = (): void => {
    heads[merged.length] = otherHeads[other] as number
    merged.push(others[other++] as T)
  }
  for (let slot = 0; slot < slots.length; slot++) {
    if (slots[slot] === -1) continue
    const row = rows[slots[slot] as number] as T
    const head = before.heads[slot] as number
    while (other < others.length && isBefore(otherHeads[other] as number, (others[other] as T).id, head, row.id)) takeOther()
    heads[merged.length] = head
    from[merged.length] = slot
    merged.push(row)
  }
  while (other < others.length) takeOther()
  return { sorted: indexed(merged, heads), from }
}

/** For each row of an ordered list where the row of its id stands in an earlier one; -1: nowhere. */
export function placesBefore (rows: readonly Named[], before: readonly Named[]): Int32Array {
  const places = new Int32Array(rows.length).fill(-1)
  let place = 0
  rows.forEach(({ id }, at) => {
    while (place < before.length && (before[place] as Named).id !== id && (before[place] as Named).id < id) place++
    if (before[place]?.id === id) places[at] = place++
  })
  return places
}

function sort<T extends Named> (rows: readonly T[]): Resorted<T> {
  // Comparing numbers takes a fraction of the time of comparing texts, and few ids begin alike.
  const unsorted = new Float64Array(rows.length)
  const order = new Uint32Array(rows.length)
  rows.forEach(({ id }, place) => {
    unsorted[place] = headOf(id)
    order[place] = place
  })
  order.sort((left, right) => (unsorted[left] as number) - (unsorted[right] as number) || compare((rows[left] as T).id, (rows[right] as T).id))
  const heads = new Float64Array(rows.length)
  const sorted = rows.map((_, place) => {
    heads[place] = unsorted[order[place] as number] as number
    return rows[order[place] as number] as T
  })
  return { sorted: indexed(sorted, heads), from: new Int32Array(rows.length).fill(-1) }
}

/** Places by binary search: as fast as a table of texts, which takes longer to fill than all else about a list. */
function indexed<T extends Named> (rows: readonly T[], heads: Float64Array): Sorted<T> {
  return {
    rows, heads,
    get: (id) => {
      const head = headOf(id)
      let low = 0
      let high = rows.length
      while (low < high) {
        const middle = (low + high) >> 1
        if (isBefore(heads[middle] as number, (rows[middle] as T).id, head, id)) low = middle + 1
        else high = middle
      }
      return low < rows.length && (rows[low] as T).id === id ? low : undefined
    }
  }
}

function headOf (id: Hash): number {
  let head = 0
  for (let at = PREFIX; at < PREFIX + HEAD; at++) head = head * 256 + id.charCodeAt(at)
  return head
}

function isBefore (head: number, id: Hash, otherHead: number, otherId: Hash): boolean {
  return head < otherHead || (head === otherHead && id < otherId)
}

function compare (left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
