import type { Batch } from '../../chain/batch/layout.ts'
import type { Chain } from '../../chain/chain.ts'
import { hasLeaf } from '../../deal/batched.ts'
import type { Hash } from '../../wire/shapes.ts'

const ALL = (1n << 256n) - 1n

/** Whether the chain holds no money of this leaf any more, or of any leaf. Rejects as Chain.slot. */
export async function isResolved (chain: Pick<Chain, 'slot'>, { solver, slot }: Pick<Batch, 'solver' | 'slot'>, id: Hash, leaf?: number): Promise<boolean> {
  const held = await chain.slot(solver, slot)
  return held.id !== id || (leaf === undefined ? held.resolved === ALL : hasLeaf(held.resolved, leaf))
}
