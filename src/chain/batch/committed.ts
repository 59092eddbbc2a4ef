import type { Hex } from 'viem'
import type { Address, Hash } from '../../wire/shapes.ts'
import { batchCalls } from './batch-calls.ts'
import { batchId, type Batch } from './layout.ts'

/**
 * The batch with this id from the data of the transaction that committed it, by itself or among others in a `multicall`.
 * The id binds all of it, so whoever gave the data need not be believed. Undefined where no commit of the data has that id.
 */
export function committedBatch (
  data: Hex, wanted: { chainId: number, batches: Address, id: Hash, solver: Address, committedAt: number, voided: bigint }
): Batch | undefined {
  const { chainId, batches, id, solver, committedAt, voided } = wanted
  for (const { functionName, args } of batchCalls(data)) {
    if (functionName !== 'commit') continue
    const [{ slot, expiry, root, owners, rows }] = args
    const batch: Batch = { solver, slot, committedAt: BigInt(committedAt), expiry, root, voided, owners, rows }
    if (batchId(chainId, batches, batch) === id) return batch
  }
  return undefined
}
