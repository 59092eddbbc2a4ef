import { encodeFunctionData, type ContractFunctionArgs, type ContractFunctionName } from 'viem'
import { ABIS, type ContractName } from './abis.ts'
import type { ContractCall } from './contract-call.ts'

type Writes<C extends ContractName> = ContractFunctionName<typeof ABIS[C], 'nonpayable'>

/** Encodes a call of a contract; the arguments are checked against the types of its ABI. */
export function encodeCall<C extends ContractName, N extends Writes<C>> (contract: C, functionName: N, args: ContractFunctionArgs<typeof ABIS[C], 'nonpayable', N>): ContractCall {
  // viem's own type cannot follow a contract chosen by a type parameter; the signature above has checked the arguments.
  const data = encodeFunctionData({ abi: ABIS[contract], functionName, args } as unknown as Parameters<typeof encodeFunctionData>[0])
  return { contract, functionName, data }
}
