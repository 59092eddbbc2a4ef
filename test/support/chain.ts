import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hexToBytes, keccak256, numberToHex, stringToBytes } from 'viem'
import { transferCall } from '../../src/chain/account-calls.ts'
import { createChain, type Chain, type ChainOptions } from '../../src/chain/chain.ts'
import type { ChainStore } from '../../src/chain/chain-store.ts'
import { createClients, type ChainClients } from '../../src/chain/clients.ts'
import { deploy, type DeployOptions } from '../../src/chain/deploy.ts'
import type { Deployment } from '../../src/chain/deployment.ts'
import type { SupervisorTuning } from '../../src/chain/options.ts'
import { startSupervisor, type Supervisor } from '../../src/chain/supervisor.ts'
import { createSystemClock } from '../../src/core/clock.ts'
import { silentLogger, type Logger } from '../../src/core/logger.ts'
import { createSigner, type Signer } from '../../src/identity/signer.ts'
import type { Address } from '../../src/wire/shapes.ts'

/** A real anvil with deployed contracts, for tests. */
export interface TestChain {
  readonly rpcUrl: string
  readonly dataPath: string
  readonly supervisor: Supervisor
  readonly clients: ChainClients
  readonly deployment: Deployment
  /** Holds the token supply and 1,000 ether. */
  readonly treasury: Signer
  /** A started chain adapter for `signer`, stopped with this test chain. */
  chainFor: (signer: Signer, options?: Partial<ChainOptions> & { datastore?: ChainStore }) => Promise<Chain>
  /** Gives ether, and `tokens` nLILY when asked. */
  fund: (address: Address, tokens?: number) => Promise<void>
  /** Moves chain time ahead and mines a block. */
  advance: (seconds: number) => Promise<void>
  stop: () => Promise<void>
}

/** The key with a name: the same in every run. */
export function namedSigner (name: string): Signer {
  return createSigner(hexToBytes(keccak256(stringToBytes(name))))
}

/** Starts within a second or two; `await chain.stop()` in teardown ends everything and removes its folder. */
export async function startTestChain (options: { chainId?: number, logger?: Logger, tuning?: Partial<SupervisorTuning>, parameters?: Partial<DeployOptions['parameters']> } = {}): Promise<TestChain> {
  const clock = createSystemClock()
  const logger = options.logger ?? silentLogger
  const chainId = options.chainId ?? 31_337
  const dataPath = await mkdtemp(join(tmpdir(), 'lilynode-chain-'))
  const supervisor = await startSupervisor({ clock, logger }, { dataPath, port: 0, chainId, ...(options.tuning === undefined ? {} : { tuning: options.tuning }) })
  const rpcUrl = supervisor.rpcUrl
  const clients = createClients({ rpcUrls: [rpcUrl], chainId, requestTimeoutMs: 5000 })
  const treasury = namedSigner('treasury')
  const giveEther = async (address: Address): Promise<void> => { await clients.request('anvil_setBalance', [address, numberToHex(10n ** 21n)]) }
  await giveEther(treasury.address)
  const deployment = await deploy({ clients, signer: treasury, clock }, {
    parameters: { unbondSeconds: 3600, minMediatorBond: 1_000_000_000, ...options.parameters }, holder: treasury.address, pollMs: 10, signal: AbortSignal.timeout(10_000)
  })
  const chains: Chain[] = []
  const chainFor: TestChain['chainFor'] = async (signer, { datastore, ...chainOptions } = {}) => {
    const chain = createChain({ signer, clock, logger, ...(datastore === undefined ? {} : { datastore }) }, { rpcUrls: [rpcUrl], deployment, devnet: true, tuning: { pollMs: 20 }, ...chainOptions })
    await chain.start()
    chains.push(chain)
    return chain
  }
  const bank = await chainFor(treasury)
  return {
    rpcUrl,
    dataPath,
    supervisor,
    clients,
    deployment,
    treasury,
    chainFor,
    fund: async (address, tokens = 0) => {
      await giveEther(address)
      if (tokens > 0) await bank.send(transferCall(address, tokens), { name: 'fund', signal: AbortSignal.timeout(10_000) })
    },
    advance: async (seconds) => {
      await clients.request('evm_increaseTime', [seconds])
      await clients.request('evm_mine', [])
    },
    stop: async () => {
      await Promise.all(chains.map(async (chain) => { await chain.stop() }))
      await supervisor.stop()
      await rm(dataPath, { recursive: true, force: true })
    }
  }
}
