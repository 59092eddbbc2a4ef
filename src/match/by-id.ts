import type { Hash } from '../wire/shapes.ts'

/** The first characters of an id that are compared as one number. */
const HEAD = 6
/** What ids start with. */
const PREFIX = '0x'.length

/** The rows in the order of their ids. */
export function sortedById<T extends { readonly id: Hash }> (rows: readonly T[]): T[] {
  // Comparing numbers takes a fraction of the time of comparing texts, and few ids begin alike.
  const heads = new Float64Array(rows.length)
  const order = new Uint32Array(rows.length)
  rows.forEach(({ id }, place) => {
    let head = 0
    for (let at = PREFIX; at < PREFIX + HEAD; at++) head = head * 256 + id.charCodeAt(at)
    heads[place] = head
    order[place] = place
  })
  order.sort((left, right) => (heads[left] as number) - (heads[right] as number) || compare((rows[left] as T).id, (rows[right] as T).id))
  return rows.map((_, place) => rows[order[place] as number] as T)
}

function compare (left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
