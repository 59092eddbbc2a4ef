import { hexToNumber, keccak256, numberToHex, size, type Hex } from 'viem'
import type { Clock } from '../core/clock.ts'
import type { Signer } from '../identity/signer.ts'
import type { Address, Hash } from '../wire/shapes.ts'
import { CONTRACT_NAMES, type ContractName } from './abis.ts'
import type { ChainClients } from './clients.ts'
import type { RpcReceipt } from './contract-call.ts'
import { creationsOf, futureAddresses } from './creations.ts'
import type { Deployment } from './deployment.ts'
import type { DeploymentParameters } from './deployment-parameters.ts'
import { ChainError } from './errors.ts'
import { GOVERNED_DEFAULTS, type Governed } from './governed.ts'
import { signTransaction } from './signing.ts'
import { whileUnreachable } from './waiting.ts'

export interface DeployOptions {
  /** What of `governed` is left out has its default; no judge of appeals unless it is named. */
  parameters: Omit<DeploymentParameters, 'governed' | 'appealJudge'> & { appealJudge?: DeploymentParameters['appealJudge'], governed?: Partial<Governed> }
  /** Who receives the whole token supply. */
  holder: Address
  /** Between two looks for the receipts. */
  pollMs: number
  signal: AbortSignal
}

/** Per byte: 200 for storing it, 16 as calldata, the rest words of init code. Unused gas is not paid, but counts against the block's. */
const GAS_PER_BYTE = 225
/** The transaction itself, and what constructors store. */
const GAS_BESIDE = 700_000

/**
 * Deploys the contracts by transactions with consecutive nonces. Throws ChainError DEPLOYMENT_FAILED, CHAIN_RPC or CHAIN_UNREACHABLE,
 * or the signal's reason.
 */
export async function deploy (components: { clients: ChainClients, signer: Signer, clock: Clock }, options: DeployOptions): Promise<Deployment> {
  const { clients, signer, clock } = components
  const parameters: DeploymentParameters = { appealJudge: 'none', ...options.parameters, governed: { ...GOVERNED_DEFAULTS, ...options.parameters.governed } }
  const first = hexToNumber(await clients.request<Hex>('eth_getTransactionCount', [signer.address, 'pending']))
  const contracts = futureAddresses(signer.address, first)
  const gasPrice = BigInt(await clients.request<Hex>('eth_gasPrice', []))
  const blocks: number[] = []
  const sent: Array<{ name: ContractName, hash: Hash }> = []
  for (const [index, [name, data]] of creationsOf(contracts, parameters, options.holder).entries()) {
    const gas = BigInt(GAS_BESIDE + GAS_PER_BYTE * size(data))
    const { raw, hash } = signTransaction(signer, { chainId: clients.chainId, nonce: first + index, gas, data, maxFeePerGas: gasPrice * 2n, maxPriorityFeePerGas: gasPrice })
    await clients.request('eth_sendRawTransaction', [raw])
    sent.push({ name, hash })
  }
  for (const { name, hash } of sent) {
    const receipt = await receiptOf(components, hash, options)
    if (receipt.status === '0x0') throw new ChainError('DEPLOYMENT_FAILED', `the constructor of ${name} reverted`, { data: { name, hash }, hint: 'Make sure that nothing else uses the deployer key meanwhile, and deploy again.' })
    blocks.push(hexToNumber(receipt.blockNumber))
  }
  const startBlock = Math.min(...blocks)
  const block = await clients.request<{ timestamp: Hex }>('eth_getBlockByNumber', [numberToHex(startBlock), false])
  const codeHash = async (address: Address): Promise<Hash> => keccak256(await whileUnreachable(clock, options.signal, async () => await clients.request<Hex>('eth_getCode', [address, 'latest'])))
  const codeHashes = Object.fromEntries(await Promise.all(CONTRACT_NAMES.map(async (name) => [name, await codeHash(contracts[name])]))) as Deployment['codeHashes']
  return { chainId: clients.chainId, genesisTime: hexToNumber(block.timestamp), startBlock, contracts, codeHashes, parameters }
}

async function receiptOf (components: { clients: ChainClients, clock: Clock }, hash: Hash, options: DeployOptions): Promise<RpcReceipt> {
  for (;;) {
    const receipt = await components.clients.request<RpcReceipt | null>('eth_getTransactionReceipt', [hash])
    if (receipt !== null) return receipt
    await components.clock.wait(options.pollMs, options.signal)
  }
}
