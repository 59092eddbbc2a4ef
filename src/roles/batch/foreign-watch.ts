import { committedBatch } from '../../chain/batch/committed.ts'
import { ownerIndex, rowOf } from '../../chain/batch/layout.ts'
import type { Chain, ChainEvent } from '../../chain/chain.ts'
import { hasLeaf } from '../../deal/batched.ts'
import { dealIdOf } from '../../wire/deal-terms.ts'
import type { Hash } from '../../wire/shapes.ts'
import type { DealBook } from '../deal-book.ts'
import { isLeafOf, type ForeignLeaves } from './foreign-leaves.ts'
import { isResolved } from './resolved.ts'

export interface ForeignWatchComponents {
  chain: Pick<Chain, 'domain' | 'deployment' | 'address' | 'blockTime' | 'slot'>
  /** Of every role of this node. */
  books: ReadonlyArray<Pick<DealBook, 'get'>>
  leaves: ForeignLeaves
  /** See commit-data.ts. */
  dataOf: (hash: Hash) => Promise<Hash | undefined>
}

/** Reads a commit and notes every leaf of it that locks this account's money without this account's word. Rejects where chain or disk is away. */
export function createForeignWatch ({ chain, books, leaves, dataOf }: ForeignWatchComponents): (event: ChainEvent & { name: 'BatchCommitted' }) => Promise<void> {
  const { domain, address: account } = chain
  const { batches } = chain.deployment.contracts
  return async (event) => {
    const { id, solver, voided } = event.args
    const data = await dataOf(event.transactionHash)
    // Most commits name others: that is told without reading them as calls.
    if (data?.includes(account.slice(2)) !== true) return
    const batch = committedBatch(data, { chainId: domain.chainId, batches, id, solver, committedAt: event.blockTime, voided })
    if (batch === undefined || ownerIndex(batch, account) < 0 || (Number(batch.expiry) < await chain.blockTime() && await isResolved(chain, batch, id))) return
    for (const leaf of batch.rows.keys()) {
      const row = rowOf(batch, leaf)
      if (row === undefined || hasLeaf(voided, leaf) || (row.creator !== account && row.provider !== account)) continue
      const dealId = dealIdOf(domain, row.creator, row.jobNumber, row.attempt)
      const isSigned = books.some(({ get }) => {
        const deal = get(dealId)
        return deal !== undefined && (deal.role === 'creator' ? deal.creatorSignature : deal.providerSignature) !== undefined && isLeafOf(batch, leaf, deal.terms)
      })
      if (!isSigned) await leaves.add({ id, leaf, dealId, sum: row.sum }, batch)
    }
  }
}
