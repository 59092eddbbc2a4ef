import type { Hash } from '../wire/shapes.ts'

/** The first characters of an id that are compared as one number. */
const HEAD = 6
/** What ids start with. */
const PREFIX = '0x'.length

/** The rows in the order of their ids. */
export function sortedById<T extends { readonly id: Hash }> (rows: readonly T[]): T[] {
  // Comparing numbers takes a fraction of the time of comparing texts, and few ids begin alike.
  const heads = Float64Array.from(rows, ({ id }) => {
    let head = 0
    for (let at = PREFIX; at < PREFIX + HEAD; at++) head = head * 256 + id.charCodeAt(at)
    return head
  })
  const order = Uint32Array.from(rows.keys()).sort((left, right) => (heads[left] as number) - (heads[right] as number) || compare((rows[left] as T).id, (rows[right] as T).id))
  return Array.from(order, (at) => rows[at] as T)
}

function compare (left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
