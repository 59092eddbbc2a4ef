import { decodeFunctionData, type Hex } from 'viem'
import { ABIS } from '../abis.ts'

/** A call of the contract Batches. */
export type BatchesCall = ReturnType<typeof decodeFunctionData<typeof ABIS.batches>>

/** The calls of Batches in a transaction's data: one, or those of a `multicall`. None in the data of a contract that calls for its owner. */
export function batchCalls (data: Hex): BatchesCall[] {
  const call = decoded(data)
  if (call?.functionName !== 'multicall') return call === undefined ? [] : [call]
  // One level: whoever nests deeper wants others to be busy.
  return call.args[0].flatMap((inner) => decoded(inner) ?? [])
}

function decoded (data: Hex): BatchesCall | undefined {
  try {
    return decodeFunctionData({ abi: ABIS.batches, data })
  } catch {
    return undefined
  }
}
