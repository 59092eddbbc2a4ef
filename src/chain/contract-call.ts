import type { Hex } from 'viem'
import type { Address, Hash } from '../wire/shapes.ts'
import type { ContractName } from './abis.ts'
import type { ChainEvent } from './decode-events.ts'

/** One call of one of our contracts, encoded; the sender knows the contract's address. Built by calls.ts. */
export interface ContractCall { contract: ContractName, functionName: string, data: Hex }

/** A call with its address. */
export interface TransactionRequest { to: Address, data: Hex }

/** A transaction that is in a block and succeeded. A reverted one rejects with ContractError CHAIN_REVERTED instead. */
export interface TxReceipt {
  /** The caller's own name for it, as in "open". */
  name: string
  hash: Hash
  /** Gas used. */
  gas: number
  /** What the gas cost, in wei. */
  feeWei: bigint
  from: Address
  blockNumber: number
  /** Unix seconds. */
  blockTime: number
  status: 'success'
  /** Events of our contracts, in order. */
  events: readonly ChainEvent[]
}

/** A receipt as JSON-RPC gives it. */
export interface RpcReceipt { transactionHash: Hash, blockHash: Hash, blockNumber: Hex, gasUsed: Hex, effectiveGasPrice?: Hex, status: Hex, logs: readonly RpcLog[] }
/** A log as JSON-RPC gives it. */
export interface RpcLog { address: Address, topics: [Hash, ...Hash[]], data: Hex, blockHash: Hash, blockNumber: Hex, blockTimestamp?: Hex, transactionHash: Hash, logIndex: Hex, removed?: boolean }
