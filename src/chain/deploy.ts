import { encodeDeployData, getContractAddress, hexToNumber, keccak256, numberToHex, type Hex } from 'viem'
import type { Clock } from '../core/clock.ts'
import type { Signer } from '../identity/signer.ts'
import type { Address, Hash } from '../wire/shapes.ts'
import { ABIS, type ContractName } from './abis.ts'
import { fromAmount } from './amounts.ts'
import { batchesBytecode } from './bindings/batches-bytecode.ts'
import { courtBytecode } from './bindings/court-bytecode.ts'
import { lilyTokenBytecode } from './bindings/lily-token-bytecode.ts'
import { marketBytecode } from './bindings/market-bytecode.ts'
import { vaultBytecode } from './bindings/vault-bytecode.ts'
import type { ChainClients } from './clients.ts'
import type { RpcReceipt } from './contract-call.ts'
import type { Deployment } from './deployment.ts'
import { ChainError } from './errors.ts'
import { signTransaction } from './signing.ts'
import { whileUnreachable } from './waiting.ts'

export interface DeployOptions {
  parameters: Deployment['parameters']
  /** Who receives the whole token supply. */
  holder: Address
  /** Decides appeals against verdicts, such as a governor's timelock; left out: verdicts are final. */
  appealJudge?: Address
  /** Between two looks for the receipts. */
  pollMs: number
  signal: AbortSignal
}

const NOBODY = '0x0000000000000000000000000000000000000000'
/** Code is stored at 200 gas a byte and the Court creates a second contract of 17 KB; unused gas is not paid. */
const DEPLOY_GAS = 12_000_000n

/**
 * Deploys LilyToken, Vault, Market, Court and Batches in this order by five transactions with consecutive nonces: their constructors name each
 * other's future addresses. Throws ChainError DEPLOYMENT_FAILED, CHAIN_RPC or CHAIN_UNREACHABLE, or the signal's reason.
 */
export async function deploy (components: { clients: ChainClients, signer: Signer, clock: Clock }, options: DeployOptions): Promise<Deployment> {
  const { clients, signer, clock } = components
  const from = signer.address
  const first = hexToNumber(await clients.request<Hex>('eth_getTransactionCount', [from, 'pending']))
  const addressAt = (index: number): Address => getContractAddress({ from, nonce: BigInt(first + index) }).toLowerCase() as Address
  const contracts: Deployment['contracts'] = { token: addressAt(0), vault: addressAt(1), market: addressAt(2), court: addressAt(3), batches: addressAt(4) }
  const { token, vault, market, court, batches } = contracts
  const creations: ReadonlyArray<readonly [ContractName, Hex]> = [
    ['token', encodeDeployData({ abi: ABIS.token, bytecode: lilyTokenBytecode, args: [options.holder] })],
    ['vault', encodeDeployData({ abi: ABIS.vault, bytecode: vaultBytecode, args: [token, market, court, batches, fromAmount(options.parameters.unbondSeconds)] })],
    ['market', encodeDeployData({ abi: ABIS.market, bytecode: marketBytecode, args: [vault, court, batches] })],
    ['court', encodeDeployData({ abi: ABIS.court, bytecode: courtBytecode, args: [vault, market, fromAmount(options.parameters.minMediatorBond), options.appealJudge ?? NOBODY] })],
    ['batches', encodeDeployData({ abi: ABIS.batches, bytecode: batchesBytecode, args: [vault, market] })]
  ]
  const gasPrice = BigInt(await clients.request<Hex>('eth_gasPrice', []))
  const blocks: number[] = []
  const sent: Array<{ name: ContractName, hash: Hash }> = []
  for (const [index, [name, data]] of creations.entries()) {
    const { raw, hash } = signTransaction(signer, { chainId: clients.chainId, nonce: first + index, gas: DEPLOY_GAS, data, maxFeePerGas: gasPrice * 2n, maxPriorityFeePerGas: gasPrice })
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
  const codeHashes = { token: await codeHash(token), vault: await codeHash(vault), market: await codeHash(market), court: await codeHash(court), batches: await codeHash(batches) }
  return { chainId: clients.chainId, genesisTime: hexToNumber(block.timestamp), startBlock, contracts, codeHashes, parameters: options.parameters }
}

async function receiptOf (components: { clients: ChainClients, clock: Clock }, hash: Hash, options: DeployOptions): Promise<RpcReceipt> {
  for (;;) {
    const receipt = await components.clients.request<RpcReceipt | null>('eth_getTransactionReceipt', [hash])
    if (receipt !== null) return receipt
    await components.clock.wait(options.pollMs, options.signal)
  }
}
