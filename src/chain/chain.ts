import type { Clock } from '../core/clock.ts'
import { errorCode } from '../core/errors.ts'
import type { Startable } from '../core/lifecycle.ts'
import type { Logger } from '../core/logger.ts'
import type { Signer } from '../identity/signer.ts'
import type { Address, Hash } from '../wire/shapes.ts'
import type { Domain } from '../wire/typed-data.ts'
import { ABIS } from './abis.ts'
import { depositForCall } from './account-calls.ts'
import { createVolatileStore, type ChainStore } from './chain-store.ts'
import { assertChainId, createClients } from './clients.ts'
import type { ContractCall, RpcReceipt, TxReceipt } from './contract-call.ts'
import { domainOf, verifyDeployment, type Deployment } from './deployment.ts'
import { createEventFollower, type EventListener } from './events.ts'
import { createFeeSource } from './fees.ts'
import { createFlightLog } from './flight-log.ts'
import { createHead } from './head.ts'
import { DEVNET_TUNING, PUBLIC_TUNING, type ChainTuning } from './options.ts'
import { signPermit } from './permit.ts'
import type { Projections } from './projections.ts'
import { createReads, type Reads } from './reads.ts'
import { toTxReceipt } from './receipts.ts'
import { revertError } from './reverts.ts'
import { createSender, type SendOptions } from './sender.ts'

export type { ContractCall, TxReceipt } from './contract-call.ts'
export type { ChainEvent } from './decode-events.ts'

/** The chain as the roles see it: what the contracts hold, what happens there, and transactions of this node's key. */
export interface Chain extends Startable, Reads {
  readonly address: Address
  readonly domain: Domain
  readonly deployment: Deployment
  /** Unix seconds of the newest block. Rejects with ChainError CHAIN_UNREACHABLE only before the first block was seen. */
  blockTime: () => Promise<number>
  /** See Sender.send. */
  send: (call: ContractCall, options: SendOptions) => Promise<TxReceipt>
  /** The receipt of anybody's transaction, once it is in a block. Rejects with CHAIN_REVERTED, or the signal's reason. */
  receipt: (hash: Hash, options: SendOptions) => Promise<TxReceipt>
  /** The call that moves `amount` nLILY of this key's tokens into its vault account, by a permit in the same transaction. */
  depositCall: (amount: number) => Promise<ContractCall>
  /** See EventFollower.onEvent: register before `start`. */
  onEvent: (listener: EventListener) => () => void
  /** See EventFollower.onLost. */
  onLost: (listener: EventListener) => () => void
  /** See EventFollower.project. */
  project: Projections['add']
  /** Resolves when the events up to the newest block were handed on. */
  caughtUp: () => Promise<void>
  /** Looks at the chain more often until the returned function is called: something is expected there. */
  hurry: () => () => void
  status: () => ChainStatus
}
export interface ChainStatus {
  chainId: number
  rpcUrls: readonly string[]
  /** Endpoints that are not asked at present, and why. */
  resting: Array<{ url: string, problem: string }>
  isReachable: boolean
  /** Newest block seen and last block whose events were handed on. */
  block: number | undefined
  eventsUpTo: number
  inFlight: number
  problem: { code: string, message: string } | undefined
}

export interface ChainComponents { signer: Signer, clock: Clock, logger: Logger, datastore?: ChainStore }
export interface ChainOptions {
  rpcUrls: readonly string[]
  deployment: Deployment
  /** A chain on this machine: fast polls. */
  devnet: boolean
  tuning?: Partial<ChainTuning>
}

/** A permit outlives slow inclusion, not the day. */
const PERMIT_SECONDS = 3600

/**
 * Builds the adapter. `start` checks that the chain holds the deployment and throws ChainError CHAIN_UNREACHABLE, CHAIN_WRONG_ID,
 * DEPLOYMENT_MISSING or DEPLOYMENT_MISMATCH; afterwards outages are waited out and show in `status`.
 */
export function createChain (components: ChainComponents, options: ChainOptions): Chain {
  const { signer, clock, logger, datastore = createVolatileStore() } = components
  const { deployment, rpcUrls } = options
  const tuning: ChainTuning = { ...(options.devnet ? DEVNET_TUNING : PUBLIC_TUNING), ...options.tuning }
  const quorum = Math.min(tuning.quorum === 0 ? Math.floor(rpcUrls.length / 2) + 1 : tuning.quorum, rpcUrls.length)
  const clientsOptions = { rpcUrls, chainId: deployment.chainId, requestTimeoutMs: tuning.requestTimeoutMs, quorum }
  const clients = createClients(clientsOptions)
  const head = createHead({ clients, clock, logger }, tuning)
  const fees = createFeeSource({ clients, head, clock })
  const log = createFlightLog({ store: datastore, logger }, { chainId: deployment.chainId, from: signer.address })
  const sender = createSender({ signer, clients, head, fees, clock, logger, log }, { ...tuning, contracts: deployment.contracts })
  const events = createEventFollower({ clients, head, logger, store: datastore, onReorganised: sender.look }, { sources: deployment.contracts, startBlock: deployment.startBlock, tuning })
  const reads = createReads({ clients }, deployment)
  const token = { address: deployment.contracts.token, abi: ABIS.token } as const
  let separator: Promise<Hash> | undefined

  const blockTime = async (): Promise<number> => (await head.latest()).time
  return {
    ...reads,
    address: signer.address,
    domain: domainOf(deployment),
    deployment,
    blockTime,
    send: sender.send,
    receipt: async (hash, { name, signal }) => {
      for (;;) {
        const found = await clients.request<RpcReceipt & { from: Address } | null>('eth_getTransactionReceipt', [hash])
        if (found?.status === '0x0') throw revertError(name, undefined, { hash })
        if (found !== null) return await toTxReceipt({ clients, head }, found, { name, sources: deployment.contracts })
        await clock.wait(tuning.pollMs, signal)
      }
    },
    depositCall: async (amount) => {
      separator ??= clients.guard('DOMAIN_SEPARATOR', async () => await clients.viem.readContract({ ...token, functionName: 'DOMAIN_SEPARATOR' }))
      separator.catch(() => { separator = undefined })
      const [domainSeparator, nonce, time] = await Promise.all([
        separator, clients.guard('nonces', async () => await clients.viem.readContract({ ...token, functionName: 'nonces', args: [signer.address] })), blockTime()
      ])
      const deadline = time + PERMIT_SECONDS
      const signature = signPermit(signer, domainSeparator, { spender: deployment.contracts.vault, amount, nonce, deadline })
      return depositForCall({ owner: signer.address, amount, deadline, signature })
    },
    onEvent: events.onEvent,
    onLost: events.onLost,
    project: events.project,
    caughtUp: events.caughtUp,
    hurry: head.hurry,
    status: () => {
      const { isReachable, number, problem } = head.status()
      return { chainId: deployment.chainId, rpcUrls, resting: clients.resting(), isReachable, block: number, eventsUpTo: events.status().block, inFlight: sender.status().inFlight, problem: problem ?? events.status().problem }
    },
    start: async () => {
      await withOtherTries(clock, async () => {
        await assertChainId(clientsOptions)
        await verifyDeployment(clients, deployment)
      })
      await head.start()
      await sender.start()
      await events.start()
    },
    stop: async () => {
      await sender.stop()
      await events.stop()
      await head.stop()
    }
  }
}

/** Tries of the first requests, and the wait between two. A machine on which a whole mesh starts may take longer to answer than a request may. */
const FIRST_TRIES = 6
const FIRST_WAIT_MS = 500

/** A chain that is busy or just restarting gets other tries before the user is told that it is away. */
async function withOtherTries (clock: Clock, ask: () => Promise<void>): Promise<void> {
  for (let triesLeft = FIRST_TRIES - 1; ; triesLeft--) {
    try {
      await ask()
      return
    } catch (error) {
      if (triesLeft === 0 || errorCode(error) !== 'CHAIN_UNREACHABLE') throw error
      await clock.wait(FIRST_WAIT_MS)
    }
  }
}
