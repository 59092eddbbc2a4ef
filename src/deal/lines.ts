import { zeroAddress } from 'viem'
import { DealError } from './errors.ts'
import type { DealTerms } from '../wire/deal-terms.ts'
import type { Address, Hash } from '../wire/shapes.ts'
import { linesRootOf, type Line } from '../wire/statement.ts'
import { leavesIn } from './batched.ts'

/** protocol/batches.md, Lines: who is paid of a deal beside provider and solver. Pure. */

/** A payee's part of the price, in 1/10,000. */
export interface Share { readonly payee: Address, readonly bp: number }

/** The lines of a deal at this price, nLILY: a module's shares in their order, then the network's for the pool; none of nothing. */
export function linesOf (price: number, shares: readonly Share[], poolBp = 0): Line[] {
  return [...shares, { payee: zeroAddress, bp: poolBp }].map(({ payee, bp }) => ({ payee, amount: Number(BigInt(price) * BigInt(bp) / 10_000n) })).filter(({ amount }) => amount > 0)
}

/** What the lines pay together: the reserve that a batched deal holds for them. */
export function sumOf (lines: readonly Line[]): number {
  return lines.reduce((sum, { amount }) => sum + amount, 0)
}

/** The lines of each leaf that a statement names, in the order of the leaves, as a message carries them: none at all where no leaf has any. Throws DealError DEAL_BAD_STATEMENT. */
export function linesByLeaf (leaves: Hash | bigint, lines: ReadonlyArray<readonly Line[]> | undefined): Map<number, readonly Line[]> {
  const named = leavesIn(leaves)
  if (lines !== undefined && lines.length !== named.length) throw new DealError('DEAL_BAD_STATEMENT', `the statement names ${named.length} leaves and has lines of ${lines.length}`, { data: { leaves: named.length, lines: lines.length } })
  return new Map(named.map((leaf, index) => [leaf, lines?.[index] ?? []]))
}

/** Throws DealError DEAL_BAD_LINES unless these are exactly the lines that both parties signed with the terms. */
export function assertLines ({ rest: { linesRoot } }: DealTerms, lines: readonly Line[]): void {
  const root = linesRootOf(lines)
  if (root !== linesRoot) throw new DealError('DEAL_BAD_LINES', 'the lines are not those of the terms', { data: { linesRoot, lines: root } })
}
