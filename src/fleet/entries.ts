import type { WantedState } from '../wire/fleet.ts'
import type { Address } from '../wire/shapes.ts'

/** protocol/fleet.md, Document: what any member may write, and how several members' words for one thing become one. Pure. */

/** A price in bp of the reference prices, none, or whether a node takes deals. */
export type SharedValue = number | null | WantedState
/** `at`: unix ms. */
export interface Entry { readonly at: number, readonly value: SharedValue }
export type Entries = ReadonlyMap<string, Entry>
/** The entries that count, each with a member in whose map it stands. */
export type SharedEntries = ReadonlyMap<string, Entry & { readonly by: Address }>

export const PRICE_KEY = 'price'
const OF_NODE = /^(?:price|state)\/(0x[0-9a-f]{40})$/

export function priceKey (operator: Address): string {
  return `${PRICE_KEY}/${operator}`
}

export function stateKey (operator: Address): string {
  return `state/${operator}`
}

/** Whether entries under this key count: of all nodes, or of one in the roster. */
export function isLivingKey (key: string, isMember: (operator: Address) => boolean): boolean {
  if (key === PRICE_KEY) return true
  const operator = OF_NODE.exec(key)?.[1]
  return operator !== undefined && isMember(operator as Address)
}

/** A total order of entries for one key: replicas that hold the same two choose the same one. */
export function isLater (a: Entry, b: Entry): boolean {
  if (a.at !== b.at) return a.at > b.at
  return JSON.stringify(a.value) > JSON.stringify(b.value)
}

/** The later entry of each key over all maps; the same whatever the order of the maps. */
export function mergeEntries (maps: Iterable<readonly [operator: Address, entries: Entries]>, isMember: (operator: Address) => boolean): Map<string, Entry & { by: Address }> {
  const merged = new Map<string, Entry & { by: Address }>()
  for (const [by, entries] of [...maps].sort(([a], [b]) => a < b ? -1 : 1)) {
    for (const [key, entry] of entries) {
      if (!isLivingKey(key, isMember)) continue
      const other = merged.get(key)
      if (other === undefined || isLater(entry, other)) merged.set(key, { ...entry, by })
    }
  }
  return merged
}

/** Entries that counted and would be lost: whoever notices takes them into its own map. */
export function lostEntries (before: SharedEntries, after: SharedEntries, isMember: (operator: Address) => boolean): Map<string, Entry> {
  const lost = new Map<string, Entry>()
  for (const [key, { at, value }] of before) {
    const now = after.get(key)
    if (isLivingKey(key, isMember) && (now === undefined || isLater({ at, value }, now))) lost.set(key, { at, value })
  }
  return lost
}
