import { readFile, rename, writeFile } from 'node:fs/promises'
import { hexToBytes, type Hex } from 'viem'
import { z } from 'zod'
import { keccakHex } from '../wire/keccak.ts'
import { addressShape, hashShape, uintShape } from '../wire/shapes.ts'
import type { Domain } from '../wire/typed-data.ts'
import { ABIS, CONTRACT_NAMES, type ContractName } from './abis.ts'
import { toAmount } from './amounts.ts'
import type { ChainClients } from './clients.ts'
import { judgeOf } from './creations.ts'
import { invalidFile, parametersShape } from './deployment-parameters.ts'
import { ChainError } from './errors.ts'
import { governedHash } from './governed.ts'

/** protocol/deployment.md. One set of contracts on one chain, as every node of a network must know it. */

const perContract = <S extends z.ZodType>(shape: S): z.ZodObject<Record<ContractName, S>, z.core.$strict> =>
  z.strictObject(Object.fromEntries(CONTRACT_NAMES.map((name) => [name, shape])) as Record<ContractName, S>)

export const deploymentShape = z.strictObject({
  chainId: uintShape.min(1),
  /** Unix seconds of the block `startBlock`; epochs are counted from here. */
  genesisTime: uintShape,
  /** The first block that can hold an event of these contracts. */
  startBlock: uintShape,
  contracts: perContract(addressShape),
  /** keccak256 of each contract's code on chain, which holds its immutable parameters too. */
  codeHashes: perContract(hashShape),
  parameters: parametersShape
})
export type Deployment = z.output<typeof deploymentShape>

/** What binds signatures to this deployment. */
export function domainOf (deployment: Deployment): Domain {
  return { chainId: deployment.chainId, market: deployment.contracts.market }
}

/** Reads a deployment file. Throws ChainError DEPLOYMENT_INVALID naming the field. */
export async function loadDeployment (path: string): Promise<Deployment> {
  try {
    return deploymentShape.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    throw invalidFile('deployment file', path, error)
  }
}

/** Writes a deployment file, whole or not at all. */
export async function saveDeployment (path: string, deployment: Deployment): Promise<void> {
  await writeFile(`${path}.tmp`, `${JSON.stringify(deployment, null, 2)}\n`)
  await rename(`${path}.tmp`, path)
}

/**
 * Holds a deployment against the chain. Throws ChainError DEPLOYMENT_MISSING (no code there: another chain, or a devnet that was reset),
 * DEPLOYMENT_MISMATCH (chain id, code, genesis or a parameter differ; `data.field` names which) or CHAIN_UNREACHABLE.
 */
export async function verifyDeployment (clients: ChainClients, deployment: Deployment): Promise<void> {
  const chainId = Number(await clients.request<Hex>('eth_chainId', []))
  if (chainId !== deployment.chainId) throw mismatch('chainId', deployment.chainId, chainId)
  await Promise.all(Object.entries(deployment.contracts).map(async ([name, address]) => {
    const code = await clients.request<Hex>('eth_getCode', [address, 'latest'])
    if (code === '0x') {
      throw new ChainError('DEPLOYMENT_MISSING', `there is no ${name} contract at ${address} on chain ${chainId}`, { data: { name, address, chainId }, hint: 'The chain was reset, or the network file belongs to another one; start the devnet anew or fetch the current network file.' })
    }
    const expected = deployment.codeHashes[name as ContractName]
    const found = keccakHex(hexToBytes(code))
    if (found !== expected) throw mismatch(`codeHashes.${name}`, expected, found)
  }))
  const block = await clients.request<{ timestamp: Hex } | null>('eth_getBlockByNumber', [`0x${deployment.startBlock.toString(16)}`, false])
  if (Number(block?.timestamp) !== deployment.genesisTime) throw mismatch('genesisTime', deployment.genesisTime, Number(block?.timestamp))
  await verifyParameters(clients, deployment)
}

/** What the file says of the contracts, against what they say; their code was verified before. */
async function verifyParameters ({ viem, guard }: ChainClients, { contracts, parameters }: Deployment): Promise<void> {
  const [unbond, minBond, judge, initial, timelock] = await guard('parameters', async () => await Promise.all([
    viem.readContract({ address: contracts.vault, abi: ABIS.vault, functionName: 'UNBONDING' }),
    viem.readContract({ address: contracts.court, abi: ABIS.court, functionName: 'MIN_BOND' }),
    viem.readContract({ address: contracts.court, abi: ABIS.court, functionName: 'APPEAL_JUDGE' }),
    viem.readContract({ address: contracts.params, abi: ABIS.params, functionName: 'INITIAL' }),
    viem.readContract({ address: contracts.governor, abi: ABIS.governor, functionName: 'timelock' })
  ]))
  const said: ReadonlyArray<readonly [field: string, expected: unknown, found: unknown]> = [
    ['parameters.unbondSeconds', parameters.unbondSeconds, toAmount(unbond)],
    ['parameters.minMediatorBond', parameters.minMediatorBond, toAmount(minBond)],
    ['parameters.appealJudge', judgeOf(contracts, parameters), judge.toLowerCase()],
    ['parameters.governed', governedHash(parameters.governed), initial],
    ['contracts.timelock', contracts.timelock, timelock.toLowerCase()]
  ]
  for (const [field, expected, found] of said) if (expected !== found) throw mismatch(field, expected, found)
}

function mismatch (field: string, expected: unknown, found: unknown): ChainError {
  return new ChainError('DEPLOYMENT_MISMATCH', `the chain does not hold the deployment of the network file: ${field} is ${String(found)}, expected ${String(expected)}`, {
    data: { field, expected, found }, hint: 'Use the network file that belongs to this chain.'
  })
}
