import { readFile, rename, writeFile } from 'node:fs/promises'
import { keccak256, type Hex } from 'viem'
import { z } from 'zod'
import { errorMessage } from '../core/errors.ts'
import { addressShape, amountShape, hashShape, uintShape } from '../wire/shapes.ts'
import type { Domain } from '../wire/typed-data.ts'
import type { ChainClients } from './clients.ts'
import { ChainError } from './errors.ts'

/** protocol/deployment.md. One set of contracts on one chain, as every node of a network must know it. */

const perContract = <S extends z.ZodType>(shape: S): z.ZodObject<{ token: S, vault: S, market: S, court: S, batches: S }, z.core.$strict> =>
  z.strictObject({ token: shape, vault: shape, market: shape, court: shape, batches: shape })

export const deploymentShape = z.strictObject({
  chainId: uintShape.min(1),
  /** Unix seconds of the block `startBlock`; epochs are counted from here. */
  genesisTime: uintShape,
  /** The first block that can hold an event of these contracts. */
  startBlock: uintShape,
  contracts: perContract(addressShape),
  /** keccak256 of each contract's code on chain, which holds its immutable parameters too. */
  codeHashes: perContract(hashShape),
  parameters: z.strictObject({
    /** From startUnbond to finishUnbond. */
    unbondSeconds: uintShape.min(1),
    /** nLILY a mediator must have bonded to be drawn. */
    minMediatorBond: amountShape
  })
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
    const detail = error instanceof z.ZodError ? error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ') : errorMessage(error)
    throw new ChainError('DEPLOYMENT_INVALID', `deployment file ${path}: ${detail}`, { data: { path }, cause: error, hint: 'The fields are described in protocol/deployment.md.' })
  }
}

/** Writes a deployment file, whole or not at all. */
export async function saveDeployment (path: string, deployment: Deployment): Promise<void> {
  await writeFile(`${path}.tmp`, `${JSON.stringify(deployment, null, 2)}\n`)
  await rename(`${path}.tmp`, path)
}

/**
 * Holds a deployment against the chain. Throws ChainError DEPLOYMENT_MISSING (no code there: another chain, or a devnet that was reset),
 * DEPLOYMENT_MISMATCH (chain id, code or genesis differ; `data.field` names which) or CHAIN_UNREACHABLE.
 */
export async function verifyDeployment (clients: ChainClients, deployment: Deployment): Promise<void> {
  const chainId = Number(await clients.request<Hex>('eth_chainId', []))
  if (chainId !== deployment.chainId) throw mismatch('chainId', deployment.chainId, chainId)
  await Promise.all(Object.entries(deployment.contracts).map(async ([name, address]) => {
    const code = await clients.request<Hex>('eth_getCode', [address, 'latest'])
    if (code === '0x') {
      throw new ChainError('DEPLOYMENT_MISSING', `there is no ${name} contract at ${address} on chain ${chainId}`, { data: { name, address, chainId }, hint: 'The chain was reset, or the network file belongs to another one; start the devnet anew or fetch the current network file.' })
    }
    const expected = deployment.codeHashes[name as keyof Deployment['codeHashes']]
    if (keccak256(code) !== expected) throw mismatch(`codeHashes.${name}`, expected, keccak256(code))
  }))
  const block = await clients.request<{ timestamp: Hex } | null>('eth_getBlockByNumber', [`0x${deployment.startBlock.toString(16)}`, false])
  if (Number(block?.timestamp) !== deployment.genesisTime) throw mismatch('genesisTime', deployment.genesisTime, Number(block?.timestamp))
}

function mismatch (field: string, expected: unknown, found: unknown): ChainError {
  return new ChainError('DEPLOYMENT_MISMATCH', `the chain does not hold the deployment of the network file: ${field} is ${String(found)}, expected ${String(expected)}`, {
    data: { field, expected, found }, hint: 'Use the network file that belongs to this chain.'
  })
}
