import { BATCHED_LANE, type DealTerms } from '../wire/deal-terms.ts'
import type { Hash } from '../wire/shapes.ts'
import type { Deal } from './deal.ts'

/** protocol/batches.md: what parties and solvers ask of a deal in a batch. Pure. */

/** Every node lets solvers lock from the session with this number. */
export const NODE_SESSION = 1

/** Whether the deal is a leaf of a batch by its terms. */
export function isBatched ({ core }: DealTerms): boolean {
  return core.lane === BATCHED_LANE
}

/** Whether it stands in a batch and is no deal by itself so far: claim, statement and expiry are for those. */
export function isLeaf ({ batch }: Pick<Deal, 'batch'>): boolean {
  return batch !== undefined && batch.claimedAt === undefined
}

/** The earliest expiry of a batch that a party takes: time for the run, the judgement and a claim. Unix seconds. */
export function leastExpiry ({ rest }: DealTerms): number {
  return rest.startBy + rest.submitSeconds + rest.judgeSeconds + 2 * rest.challengeSeconds
}

/** What of a creator's money a deal locks, nLILY. */
export function creatorLock ({ core }: DealTerms): number {
  return core.price + core.fee + core.reserve
}

/** One bit for each leaf, as messages carry it. */
export function leavesWord (leaves: Iterable<number>): Hash {
  let word = 0n
  for (const leaf of leaves) word |= 1n << BigInt(leaf)
  return `0x${word.toString(16).padStart(64, '0')}`
}

/** Whether the word has the bit of a leaf. */
export function hasLeaf (leaves: Hash | bigint, leaf: number): boolean {
  return (BigInt(leaves) >> BigInt(leaf) & 1n) === 1n
}

/** The leaves whose bits the word has, in their order. */
export function leavesIn (leaves: Hash | bigint): number[] {
  const found: number[] = []
  for (let left = BigInt(leaves), leaf = 0; left !== 0n; left >>= 1n, leaf++) if ((left & 1n) === 1n) found.push(leaf)
  return found
}
