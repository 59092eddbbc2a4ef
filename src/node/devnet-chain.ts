import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { hexToBytes, type Hex } from 'viem'
import { createClients } from '../chain/clients.ts'
import { deploy, type DeployOptions } from '../chain/deploy.ts'
import type { Deployment } from '../chain/deployment.ts'
import { createChain, type Chain } from '../chain/chain.ts'
import { transferCall } from '../chain/account-calls.ts'
import { DEVNET_TUNING } from '../chain/options.ts'
import { NODE_SESSION } from '../deal/batched.ts'
import { createSystemClock } from '../core/clock.ts'
import { silentLogger } from '../core/logger.ts'
import { createSigner, type Signer } from '../identity/signer.ts'
import type { Address } from '../wire/shapes.ts'

/** The devnet's own key: deploys the contracts, holds the supply, gives it out. Its chain lets anybody set ETH balances. */
export interface Faucet { signer: Signer, rpcUrl: string, fund: (account: Address, amount: number) => Promise<void>, deployment: Deployment | undefined, stop: () => Promise<void> }

const CHAIN_ID = 31_337
/** A day on a devnet; longer than every dispute there. */
const PARAMETERS: DeployOptions['parameters'] = { unbondSeconds: 86_400, minMediatorBond: 50_000_000_000 }
const GAS_MONEY = `0x${(10n ** 20n).toString(16)}`
const TIMEOUT_MS = 30_000

/** Reads or makes the deployer key and gives it gas money. */
export async function createFaucet (options: { rpcUrl: string, keyPath: string }): Promise<Faucet> {
  const key = await readFile(options.keyPath, 'utf8').catch(async () => {
    const fresh = `0x${randomBytes(32).toString('hex')}`
    await writeFile(options.keyPath, fresh, { mode: 0o600 })
    return fresh
  })
  const signer = createSigner(hexToBytes(key.trim() as Hex))
  const clients = createClients({ rpcUrls: [options.rpcUrl], chainId: CHAIN_ID, requestTimeoutMs: DEVNET_TUNING.requestTimeoutMs })
  const give = async (account: Address): Promise<void> => { await clients.request('anvil_setBalance', [account, GAS_MONEY]) }
  await give(signer.address)
  let chain: Promise<Chain> | undefined
  const faucet: Faucet = {
    signer,
    rpcUrl: options.rpcUrl,
    deployment: undefined,
    fund: async (account, amount) => {
      const { deployment } = faucet
      if (deployment === undefined) throw new Error('the faucet has no deployment yet')
      await give(account)
      chain ??= openChain(signer, options.rpcUrl, deployment)
      const open = await chain
      const [{ token, free, bond, locked }, { funds }] = await Promise.all([open.balances(account), open.session(account, NODE_SESSION)])
      if (token + free + funds + bond + locked >= amount / 2) return
      await open.send(transferCall(account, amount), { name: 'faucet', signal: AbortSignal.timeout(TIMEOUT_MS) })
    },
    stop: async () => { await (await chain)?.stop() }
  }
  return faucet
}

/** Deploys the contracts from the faucet's key. */
export async function deployDevnet (faucet: Faucet): Promise<Deployment> {
  const clients = createClients({ rpcUrls: [faucet.rpcUrl], chainId: CHAIN_ID, requestTimeoutMs: DEVNET_TUNING.requestTimeoutMs })
  return await deploy({ clients, signer: faucet.signer, clock: createSystemClock() }, { parameters: PARAMETERS, holder: faucet.signer.address, pollMs: DEVNET_TUNING.busyPollMs, signal: AbortSignal.timeout(TIMEOUT_MS) })
}

async function openChain (signer: Signer, rpcUrl: string, deployment: Deployment): Promise<Chain> {
  const chain = createChain({ signer, clock: createSystemClock(), logger: silentLogger }, { deployment, rpcUrls: [rpcUrl], devnet: true })
  await chain.start()
  return chain
}
