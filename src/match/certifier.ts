import type { Hash } from '../wire/shapes.ts'
import type { JobRow, OfferRow, Snapshot } from './problem.ts'

/**
 * What price certificates say. The auction needs no more of them than this; how they are coded and why the bound holds is in
 * protocol/matching.md. Exact and pure: two nodes with the same snapshot get the same.
 */
export interface Certifier {
  /** No feasible solution of the snapshot scores more, nLILY. Undefined for bytes that are no certificate in canonical form. */
  bound: (snapshot: Snapshot, certificate: Uint8Array) => bigint | undefined
  /** Rents of the offer's class, nLILY for one of each resource over the run: safe integers in the order of `demandOf`; a resource left out costs 0. */
  rentsOf: (snapshot: Snapshot, certificate: Uint8Array, offer: OfferRow) => readonly number[]
  /** How many of each resource the job takes of the offer's unit: safe integers. */
  demandOf: (job: JobRow, offer: OfferRow, devices: readonly number[]) => readonly number[]
}

/** A certificate that counts in an epoch with the bound that this node computed. */
export interface Bounded { readonly id: Hash, readonly certificate: Uint8Array, readonly bound: bigint }

/** Whether `bound` is within `bp` of the lowest one. */
export function isNear (bound: bigint, lowest: bigint, bp: number): boolean {
  return bound <= lowest + lowest * BigInt(bp) / 10_000n
}

/** protocol/auction.md, Class price, steps 2 and 3. `certificates` are ordered among equals. */
export function nearest (certificates: readonly Bounded[], rules: { nearBp: number, maxCertificates: number }): Bounded[] {
  const sorted = [...certificates].sort((left, right) => left.bound < right.bound ? -1 : left.bound > right.bound ? 1 : 0)
  const lowest = sorted[0]?.bound ?? 0n
  return sorted.filter(({ bound }) => isNear(bound, lowest, rules.nearBp)).slice(0, rules.maxCertificates)
}
