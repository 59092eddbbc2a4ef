import type { RecordHead } from '../wire/record.ts'
import type { Address, Hash } from '../wire/shapes.ts'

/** The register a record writes: its author's own slot. */
export function registerKey (head: Pick<RecordHead, 'account' | 'operator' | 'slot'>): string {
  return `${head.account}${head.operator.slice(2)}${head.slot}`
}

/** The author of a record: an account and the operator key that signs for it. A freeze falls on this pair. */
export function authorKey (head: Pick<RecordHead, 'account' | 'operator'>): string {
  return `${head.account}${head.operator.slice(2)}`
}

/** The author that a key of `authorKey` names. */
export function authorOf (key: string): { account: Address, operator: Address } {
  return { account: key.slice(0, 42) as Address, operator: `0x${key.slice(42)}` }
}

/**
 * Whether `a` stands where `b` stood: the higher seq, at equal seq the lower id. A total order, so "keep the greatest" is
 * commutative, associative and idempotent. Equal seq is also an equivocation; the order only makes replicas hold the same one.
 */
export function isAbove (a: { seq: number, id: Hash }, b: { seq: number, id: Hash }): boolean {
  return a.seq === b.seq ? a.id < b.id : a.seq > b.seq
}
