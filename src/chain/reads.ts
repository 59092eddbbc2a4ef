import { hexToBigInt, type Hex } from 'viem'
import { dealRestHash, type DealTerms } from '../wire/deal-terms.ts'
import type { Address, Hash } from '../wire/shapes.ts'
import { ABIS } from './abis.ts'
import { toAmount } from './amounts.ts'
import type { ChainClients } from './clients.ts'
import { coreOf } from './deal-structs.ts'
import type { Deployment } from './deployment.ts'
import { createVersionRead, type ReadVersion } from './modules.ts'
import { createChannelRead, type ReadChannel } from './vouchers/channel.ts'

/** Money of an account in the vault, nLILY. */
export interface VaultAccount { free: number, locked: number, bond: number, unbonding: number }
/** All money of an address. A token balance beyond 2^53 - 1 nLILY (9 million LILY) reads as that. */
export interface Balances extends VaultAccount { wei: bigint, token: number }
/** States of a deal by their number on chain; everything from Settled on is an end. */
export const LANE_STATES = ['None', 'Open', 'Submitted', 'Challenged', 'Drawn', 'Settled', 'Refunded', 'TimedOut', 'MediationAccepted', 'MediationRejected'] as const
export type LaneState = typeof LANE_STATES[number]
export interface Mediator { address: Address, bond: number }
/** A session's money, nLILY, and its end in unix seconds. `allowed`: what batches may lock now by its cap. */
export interface SessionState { funds: number, allowed: number, expiry: number }

/** The present state of the contracts, or where a block is given that of a recent one; never an old one, which nodes prune. Each rejects with ChainError when the chain is away. */
export interface Reads {
  account: (address: Address, block?: number) => Promise<VaultAccount>
  balances: (address: Address) => Promise<Balances>
  /** What a provider's lane holds: `tag` is the terms' digest with its last byte cleared. */
  lane: (provider: Address, lane: number) => Promise<{ tag: Hash, state: LaneState }>
  /** State of the deal with these terms; 'None' when its lane holds another deal or none. */
  stateOf: (terms: DealTerms) => Promise<LaneState>
  /** Whether this attempt was opened, or its job nullified. */
  isNullified: (creator: Address, jobNumber: number, attempt: number) => Promise<boolean>
  session: (account: Address, number: number, block?: number) => Promise<SessionState>
  /** Whether an operator of a session signs for an account now (protocol/batches.md, Sessions). */
  speaksFor: (account: Address, signer: Address) => Promise<boolean>
  channel: ReadChannel
  moduleVersion: ReadVersion
  /** What the next order of an account carries (protocol/batches.md, Sessions). */
  orderNonce: (account: Address) => Promise<number>
  /** What stands in a solver's slot: the batch's id (zero: none yet) and a bit for each leaf that is resolved. */
  slot: (solver: Address, slot: number) => Promise<{ id: Hash, resolved: bigint }>
  /** Until when an accusation of a solver can be answered, unix seconds; undefined where there is none, or none any more. */
  accusation: (key: Hash) => Promise<number | undefined>
  /** Data of a transaction; undefined where the node does not know it. */
  transactionData: (hash: Hash) => Promise<Hex | undefined>
  /** What was submitted on chain for a deal; undefined when nothing was. Times are unix seconds. */
  submission: (dealId: Hash) => Promise<{ submittedAt: number, manifest: Hash } | undefined>
  /** Mediators that can be drawn now: registered, with at least the minimum bond. */
  mediators: () => Promise<Mediator[]>
  /** When unbonding money can be taken, unix seconds; 0 when it never started. */
  unbondAt: (address: Address) => Promise<number>
  /** Slashed money and fees without payee, nLILY. */
  pool: () => Promise<number>
}

const lower = (address: Address): Address => address.toLowerCase() as Address

/** Reads through `clients`; asks nothing before the first call. */
export function createReads (components: { clients: ChainClients }, options: Pick<Deployment, 'contracts' | 'parameters'>): Reads {
  const { clients } = components
  const { viem, guard } = clients
  const token = { address: options.contracts.token, abi: ABIS.token } as const
  const vault = { address: options.contracts.vault, abi: ABIS.vault } as const
  const market = { address: options.contracts.market, abi: ABIS.market } as const
  const court = { address: options.contracts.court, abi: ABIS.court } as const
  const batches = { address: options.contracts.batches, abi: ABIS.batches } as const
  const at = (block: number | undefined): { blockNumber?: bigint } => block === undefined ? {} : { blockNumber: BigInt(block) }
  const stateName = (state: number): LaneState => LANE_STATES[state] ?? 'None'

  const account: Reads['account'] = async (address, block) => {
    const { free, locked, bond, unbonding } = await guard('account', async () => await viem.readContract({ ...vault, functionName: 'account', args: [address], ...at(block) }))
    return { free: toAmount(free), locked: toAmount(locked), bond: toAmount(bond), unbonding: toAmount(unbonding) }
  }
  return {
    account,
    balances: async (address) => {
      const [money, wei, held] = await Promise.all([
        account(address),
        clients.request<Hex>('eth_getBalance', [address, 'latest']),
        guard('balanceOf', async () => await viem.readContract({ ...token, functionName: 'balanceOf', args: [address] }))
      ])
      return { ...money, wei: hexToBigInt(wei), token: Math.min(Number(held), Number.MAX_SAFE_INTEGER) }
    },
    lane: async (provider, lane) => {
      const [tag, state] = await guard('lane', async () => await viem.readContract({ ...market, functionName: 'lane', args: [provider, lane] }))
      return { tag, state: stateName(state) }
    },
    stateOf: async (terms) =>
      stateName(await guard('stateOf', async () => await viem.readContract({ ...market, functionName: 'stateOf', args: [coreOf(terms), dealRestHash(terms.rest)] }))),
    isNullified: async (creator, jobNumber, attempt) =>
      await guard('isNullified', async () => await viem.readContract({ ...market, functionName: 'isNullified', args: [creator, BigInt(jobNumber), attempt] })),
    session: async (account, number, block) => {
      const [funds, allowed, expiry] = await guard('sessionOf', async () => await viem.readContract({ ...vault, functionName: 'sessionOf', args: [account, number], ...at(block) }))
      return { funds: toAmount(funds), allowed: toAmount(allowed), expiry: toAmount(expiry) }
    },
    speaksFor: async (account, signer) => await guard('speaksFor', async () => await viem.readContract({ ...vault, functionName: 'speaksFor', args: [account, signer] })),
    channel: createChannelRead(clients, options),
    moduleVersion: createVersionRead(clients, options),
    orderNonce: async (account) => toAmount(await guard('orderNonce', async () => await viem.readContract({ ...vault, functionName: 'orderNonce', args: [account] }))),
    slot: async (solver, slot) => {
      const [id, resolved] = await guard('slotOf', async () => await viem.readContract({ ...batches, functionName: 'slotOf', args: [solver, slot] }))
      return { id, resolved }
    },
    accusation: async (key) => {
      const { claimant, answerBy } = await guard('accusation', async () => await viem.readContract({ ...batches, functionName: 'accusation', args: [key] }))
      return hexToBigInt(claimant) === 0n ? undefined : toAmount(answerBy)
    },
    transactionData: async (hash) => (await clients.request<{ input: Hex } | null>('eth_getTransactionByHash', [hash]))?.input,
    submission: async (dealId) => {
      const { submittedAt, manifest } = await guard('submission', async () => await viem.readContract({ ...market, functionName: 'submission', args: [dealId] }))
      return submittedAt === 0n ? undefined : { submittedAt: toAmount(submittedAt), manifest }
    },
    mediators: async () => {
      const count = await guard('mediatorCount', async () => await viem.readContract({ ...court, functionName: 'mediatorCount' }))
      const addresses = await guard('mediators', async () => await viem.readContract({ ...court, functionName: 'mediators', args: [0n, count] }))
      const bonded = await Promise.all(addresses.map(async (address) => {
        const bond = await guard('bondOf', async () => await viem.readContract({ ...vault, functionName: 'bondOf', args: [address] }))
        return { address: lower(address), bond: toAmount(bond) }
      }))
      return bonded.filter(({ bond }) => bond >= options.parameters.minMediatorBond)
    },
    unbondAt: async (address) => toAmount(await guard('unbondAt', async () => await viem.readContract({ ...vault, functionName: 'unbondAt', args: [address] }))),
    pool: async () => toAmount(await guard('pool', async () => await viem.readContract({ ...vault, functionName: 'pool' })))
  }
}
