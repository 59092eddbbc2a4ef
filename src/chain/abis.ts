import type { Abi } from 'viem'
import { batchesAbi } from './bindings/batches.ts'
import { courtAbi } from './bindings/court.ts'
import { lilyTokenAbi } from './bindings/lily-token.ts'
import { marketAbi } from './bindings/market.ts'
import { vaultAbi } from './bindings/vault.ts'

/** The contracts of a deployment by the names that deployments, calls and events use. */
export const ABIS = { token: lilyTokenAbi, vault: vaultAbi, market: marketAbi, court: courtAbi, batches: batchesAbi } as const
export type ContractName = keyof typeof ABIS

/** All error types of all contracts: a call of one may revert with an error of another that it called. */
export const ERRORS_ABI: Abi = Object.values(ABIS).flatMap((abi: Abi) => abi.filter((item) => item.type === 'error'))
