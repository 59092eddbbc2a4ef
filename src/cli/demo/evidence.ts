import { NODE_SESSION } from '../../deal/batched.ts'
import { hexToNumber, type Hex } from 'viem'
import { createClients, type ChainClients } from '../../chain/clients.ts'
import { createReads } from '../../chain/reads.ts'
import type { JobView } from '../../api/facade.ts'
import type { Network } from '../../config/network.ts'
import type { Address, Hash } from '../../wire/shapes.ts'
import type { Devnet } from '../devnet/mesh.ts'
import type { Balances, Evidence } from './report.ts'

const REQUEST_TIMEOUT_MS = 5_000

function clientsOf (network: Network): ChainClients {
  return createClients({ rpcUrls: network.rpcUrls, chainId: network.deployment.chainId, requestTimeoutMs: REQUEST_TIMEOUT_MS })
}

/** Where a deal stands on chain, and the digest of its terms. */
interface DealPlace { provider: Address, lane: number, terms: Hash }

/** Asks every process and the chain what they know of a job. */
export async function collectEvidence (devnet: Devnet, job: JobView, lanes: ReadonlyMap<string, DealPlace>): Promise<Evidence> {
  const clients = clientsOf(devnet.network)
  const reads = createReads({ clients }, devnet.network.deployment)
  const epoch = job.deals.at(-1)?.epoch ?? -1
  const hashes = [...new Set(job.deals.flatMap((deal) => deal.transactions.map((transaction) => transaction.hash)))]
  return {
    auctions: await Promise.all(devnet.nodes.map(async (node) => ({ node: node.name, auction: await node.client.auction(epoch).catch(() => undefined) }))),
    receipts: await Promise.all(hashes.map(async (hash) => {
      const receipt = await clients.request<{ gasUsed: Hex, from: Hex, status: Hex } | null>('eth_getTransactionReceipt', [hash])
      return { hash, gas: receipt === null ? 0 : hexToNumber(receipt.gasUsed), from: receipt?.from.toLowerCase() ?? '', ok: receipt?.status === '0x1' }
    })),
    laneStates: await Promise.all([...lanes].map(async ([dealId, { provider, lane, terms }]) => {
      const held = await reads.lane(provider, lane)
      // A lane's last byte is the state; another digest before it is a later deal's.
      return { dealId, state: held.tag.slice(0, -2) === terms.slice(0, -2) ? held.state : 'None' }
    }))
  }
}

/** Lanes of a job's deals, from the events of their opening. */
export async function lanesOf (network: Network, job: JobView): Promise<Map<string, DealPlace>> {
  const { decodeEvents } = await import('../../chain/decode-events.ts')
  const clients = clientsOf(network)
  const lanes = new Map<string, DealPlace>()
  for (const hash of new Set(job.deals.flatMap((deal) => deal.transactions.map((transaction) => transaction.hash)))) {
    const receipt = await clients.request<{ logs: Parameters<typeof decodeEvents>[1] } | null>('eth_getTransactionReceipt', [hash])
    for (const event of decodeEvents(network.deployment.contracts, receipt?.logs ?? [], () => 0)) {
      if (event.name === 'DealOpened') lanes.set(event.args.dealId, { provider: event.args.provider as Address, lane: event.args.lane, terms: event.args.terms as Hash })
    }
  }
  return lanes
}

/** Every member's vault account, the pool, and the tokens that the vault holds. */
export async function readBalances (devnet: Devnet): Promise<Balances> {
  const { deployment } = devnet.network
  const reads = createReads({ clients: clientsOf(devnet.network) }, deployment)
  const accounts = await Promise.all(devnet.nodes.map(async (node) => {
    const [{ free, locked, bond }, { funds: session }] = await Promise.all([reads.account(node.account as Address), reads.session(node.account as Address, NODE_SESSION)])
    return [node.name, { free, session, locked, bond }] as const
  }))
  const [pool, vault] = await Promise.all([reads.pool(), reads.balances(deployment.contracts.vault)])
  return { accounts: Object.fromEntries(accounts), pool, vault: vault.token }
}

