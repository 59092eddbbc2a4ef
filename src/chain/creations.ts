import { encodeDeployData, getContractAddress, zeroAddress, type Hex } from 'viem'
import type { Address } from '../wire/shapes.ts'
import { ABIS, CONTRACT_NAMES, type ContractName } from './abis.ts'
import { fromAmount } from './amounts.ts'
import { batchesBytecode } from './bindings/batches-bytecode.ts'
import { courtBytecode } from './bindings/court-bytecode.ts'
import { directoryBytecode } from './bindings/directory-bytecode.ts'
import { lilyGovernorBytecode } from './bindings/lily-governor-bytecode.ts'
import { lilyTimelockBytecode } from './bindings/lily-timelock-bytecode.ts'
import { lilyTokenBytecode } from './bindings/lily-token-bytecode.ts'
import { marketBytecode } from './bindings/market-bytecode.ts'
import { modulesBytecode } from './bindings/modules-bytecode.ts'
import { paramsBytecode } from './bindings/params-bytecode.ts'
import { rewardsBytecode } from './bindings/rewards-bytecode.ts'
import { vaultBytecode } from './bindings/vault-bytecode.ts'
import { vouchersBytecode } from './bindings/vouchers-bytecode.ts'
import type { Deployment } from './deployment.ts'
import { governedValues } from './governed.ts'

/** protocol/deployment.md: the addresses that a deployer's next transactions, from nonce `first` on, will create. */
export function futureAddresses (from: Address, first: number): Deployment['contracts'] {
  return Object.fromEntries(CONTRACT_NAMES.map((name, index) => [name, getContractAddress({ from, nonce: BigInt(first + index) }).toLowerCase()])) as Deployment['contracts']
}

/** The creation transactions of a deployment, in the order in which they must be sent: their constructors name each other's future addresses. */
export function creationsOf (contracts: Deployment['contracts'], parameters: Deployment['parameters'], holder: Address): ReadonlyArray<readonly [ContractName, Hex]> {
  const { token, vault, market, court, batches, vouchers, params, governor, timelock } = contracts
  const data: Record<ContractName, Hex> = {
    token: encodeDeployData({ abi: ABIS.token, bytecode: lilyTokenBytecode, args: [holder] }),
    vault: encodeDeployData({ abi: ABIS.vault, bytecode: vaultBytecode, args: [token, market, court, batches, vouchers, fromAmount(parameters.unbondSeconds)] }),
    market: encodeDeployData({ abi: ABIS.market, bytecode: marketBytecode, args: [vault, court, batches] }),
    court: encodeDeployData({ abi: ABIS.court, bytecode: courtBytecode, args: [vault, market, fromAmount(parameters.minMediatorBond), judgeOf(contracts, parameters)] }),
    batches: encodeDeployData({ abi: ABIS.batches, bytecode: batchesBytecode, args: [vault, market] }),
    vouchers: encodeDeployData({ abi: ABIS.vouchers, bytecode: vouchersBytecode, args: [vault] }),
    params: encodeDeployData({ abi: ABIS.params, bytecode: paramsBytecode, args: [timelock, governedValues(parameters.governed) as never] }),
    governor: encodeDeployData({ abi: ABIS.governor, bytecode: lilyGovernorBytecode, args: [token, timelock, params] }),
    timelock: encodeDeployData({ abi: ABIS.timelock, bytecode: lilyTimelockBytecode, args: [governor, params] }),
    rewards: encodeDeployData({ abi: ABIS.rewards, bytecode: rewardsBytecode, args: [token, vault, market, params, timelock] }),
    modules: encodeDeployData({ abi: ABIS.modules, bytecode: modulesBytecode, args: [market] }),
    directory: encodeDeployData({ abi: ABIS.directory, bytecode: directoryBytecode, args: [market] })
  }
  return CONTRACT_NAMES.map((name) => [name, data[name]])
}

/** The Court's judge of appeals; zero: verdicts are final. */
export function judgeOf ({ timelock }: Pick<Deployment['contracts'], 'timelock'>, { appealJudge }: Pick<Deployment['parameters'], 'appealJudge'>): Address {
  return appealJudge === 'none' ? zeroAddress : appealJudge === 'timelock' ? timelock : appealJudge
}
