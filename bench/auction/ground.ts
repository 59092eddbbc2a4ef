import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { addBondCall, approveCall, depositApprovedCall } from '../../src/chain/account-calls.ts'
import { createChain, type Chain } from '../../src/chain/chain.ts'
import type { Deployment } from '../../src/chain/deployment.ts'
import { chainPortOf } from '../../src/cli/commands/devnet.ts'
import { startProcess, stopProcesses, untilReady } from '../../src/cli/devnet/processes.ts'
import { childEnvironment } from '../../src/config/paths.ts'
import { createSystemClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import type { Signer } from '../../src/identity/signer.ts'
import { createFaucet, deployDevnet } from '../../src/node/devnet-chain.ts'
import type { Address } from '../../src/wire/shapes.ts'

/** A chain of its own process with the contracts on it, and accounts with money. Amounts are nLILY. */
export interface Ground {
  readonly rpcUrl: string
  readonly deployment: Deployment
  /** Free money in the vault for each account. */
  deposit: (accounts: readonly Address[], amount: number) => Promise<void>
  bond: (signers: readonly Signer[], amount: number) => Promise<void>
  stop: () => Promise<void>
}

const READY_MS = 60_000
const SEND_MS = 60_000

export async function openGround (root: string): Promise<Ground> {
  const folder = join(root, 'chain')
  await mkdir(folder, { recursive: true })
  const port = await chainPortOf(root)
  const rpcUrl = `http://127.0.0.1:${port}`
  const process_ = await startProcess('chain', folder, ['chain', '--port', String(port)], childEnvironment())
  const stopChain = async (): Promise<void> => { await stopProcesses([process_], { graceMs: 5_000 }) }
  try {
    await untilReady(process_, { timeoutMs: READY_MS, signal: AbortSignal.timeout(READY_MS) }, async () => {
      const answer = await fetch(rpcUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}' }).catch(() => undefined)
      return answer?.ok === true ? true : undefined
    })
    const faucet = await createFaucet({ rpcUrl, keyPath: join(folder, 'deployer.key') })
    const deployment = faucet.deployment = await deployDevnet(faucet)
    const chains: Chain[] = []
    const chainOf = async (signer: Signer): Promise<Chain> => {
      const chain = createChain({ signer, clock: createSystemClock(), logger: silentLogger }, { deployment, rpcUrls: [rpcUrl], devnet: true })
      await chain.start()
      chains.push(chain)
      return chain
    }
    const own = await chainOf(faucet.signer)
    return {
      rpcUrl,
      deployment,
      deposit: async (accounts, amount) => {
        await own.send(approveCall(deployment.contracts.vault, accounts.length * amount), { name: 'approve', signal: AbortSignal.timeout(SEND_MS) })
        for (const account of accounts) await own.send(depositApprovedCall(account, amount), { name: 'deposit', signal: AbortSignal.timeout(SEND_MS) })
      },
      bond: async (signers, amount) => {
        for (const signer of signers) {
          await faucet.fund(signer.address, amount)
          const chain = await chainOf(signer)
          await chain.send(await chain.depositCall(amount), { name: 'deposit', signal: AbortSignal.timeout(SEND_MS) })
          await chain.send(addBondCall(amount), { name: 'bond', signal: AbortSignal.timeout(SEND_MS) })
        }
      },
      stop: async () => {
        for (const chain of chains) await chain.stop()
        await faucet.stop()
        await stopChain()
      }
    }
  } catch (error) {
    await stopChain()
    throw error
  }
}
