import { decodeFunctionData, type Hex } from 'viem'
import type { Address, Hash } from '../../wire/shapes.ts'
import { ABIS } from '../abis.ts'
import { batchId, type Batch } from './layout.ts'

/**
 * The batch with this id from the data of the transaction that committed it, by itself or among others in a `multicall`.
 * The id binds all of it, so whoever gave the data need not be believed. Undefined where no commit of the data has that id.
 */
export function committedBatch (
  data: Hex, wanted: { chainId: number, batches: Address, id: Hash, solver: Address, committedAt: number, voided: bigint }
): Batch | undefined {
  const { chainId, batches, id, solver, committedAt, voided } = wanted
  for (const commitment of commitmentsIn(data)) {
    const { slot, expiry, root, owners, rows } = commitment
    const batch: Batch = { solver, slot, committedAt: BigInt(committedAt), expiry, root, voided, owners, rows }
    if (batchId(chainId, batches, batch) === id) return batch
  }
  return undefined
}

type Commitment = Pick<Batch, 'slot' | 'expiry' | 'root' | 'owners' | 'rows'>

function commitmentsIn (data: Hex, isInner = false): Commitment[] {
  try {
    const call = decodeFunctionData({ abi: ABIS.batches, data })
    if (call.functionName === 'commit') return [call.args[0]]
    return call.functionName === 'multicall' && !isInner ? call.args[0].flatMap((inner) => commitmentsIn(inner, true)) : []
  } catch {
    // A contract that calls for its owner: its data is not ours to read.
    return []
  }
}
