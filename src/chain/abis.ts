import type { Abi } from 'viem'
import { batchesAbi } from './bindings/batches.ts'
import { courtAbi } from './bindings/court.ts'
import { directoryAbi } from './bindings/directory.ts'
import { lilyGovernorAbi } from './bindings/lily-governor.ts'
import { lilyTimelockAbi } from './bindings/lily-timelock.ts'
import { lilyTokenAbi } from './bindings/lily-token.ts'
import { marketAbi } from './bindings/market.ts'
import { modulesAbi } from './bindings/modules.ts'
import { paramsAbi } from './bindings/params.ts'
import { rewardsAbi } from './bindings/rewards.ts'
import { vaultAbi } from './bindings/vault.ts'
import { vouchersAbi } from './bindings/vouchers.ts'

/** The contracts of a deployment by the names that deployments, calls and events use, in the order of their deployment. */
export const ABIS = {
  token: lilyTokenAbi,
  vault: vaultAbi,
  market: marketAbi,
  court: courtAbi,
  batches: batchesAbi,
  vouchers: vouchersAbi,
  params: paramsAbi,
  governor: lilyGovernorAbi,
  timelock: lilyTimelockAbi,
  rewards: rewardsAbi,
  modules: modulesAbi,
  directory: directoryAbi
} as const
export type ContractName = keyof typeof ABIS
export const CONTRACT_NAMES = Object.keys(ABIS) as ContractName[]

/** All error types of all contracts: a call of one may revert with an error of another that it called. */
export const ERRORS_ABI: Abi = Object.values(ABIS).flatMap((abi: Abi) => abi.filter((item) => item.type === 'error'))
