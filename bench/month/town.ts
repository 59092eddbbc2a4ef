import { hexToNumber, type Hex } from 'viem'
import type { NodeFacade } from '../../src/api/facade.ts'
import { createAuthor } from '../../src/book/author.ts'
import { createBook, type Book } from '../../src/book/book.ts'
import type { Chain } from '../../src/chain/chain.ts'
import { domainOf } from '../../src/chain/deployment.ts'
import { networkParametersHash, type Network } from '../../src/config/network.ts'
import { createSystemClock } from '../../src/core/clock.ts'
import { createLifecycle } from '../../src/core/lifecycle.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { createSeededRandom } from '../../src/core/random.ts'
import { DEVNET_DEAL_PARAMETERS } from '../../src/deal/options.ts'
import type { ExecutionOutcome, WasmExecutor } from '../../src/exec/executor.ts'
import { createFleet } from '../../src/fleet/fleet.ts'
import { secretOf } from '../../src/identity/secret.ts'
import { DEFAULT_MATCH_RULES, DEVNET_AUCTION_RULES } from '../../src/match/options.ts'
import type { Mesh } from '../../src/mesh/mesh.ts'
import type { NodeParts } from '../../src/node/components.ts'
import { createFacade } from '../../src/node/facade.ts'
import { plainFacts } from '../../src/node/fleet.ts'
import { isCarried, keepFunded } from '../../src/node/funding.ts'
import type { NodeOptions } from '../../src/node/options.ts'
import { startRoles } from '../../src/node/roles.ts'
import { encodeManifest, manifestForFile } from '../../src/registry/manifest.ts'
import { createAuction } from '../../src/roles/auction.ts'
import { createCarriedSend } from '../../src/roles/carry/carried.ts'
import { createContacts } from '../../src/roles/contacts.ts'
import { createDealRoom } from '../../src/roles/deal-room.ts'
import { createEligibility } from '../../src/roles/eligibility.ts'
import { createOrders } from '../../src/roles/orders.ts'
import { createCapacityLedger } from '../../src/roles/provider/capacity.ts'
import { encodeRecord, type SignedRecord } from '../../src/wire/record.ts'
import { namedSigner, type TestChain } from '../../test/support/chain.ts'
import { createContent } from '../../test/support/content.ts'
import { createMemoryDatastore } from '../../test/support/memory-datastore.ts'
import { createMemoryNetwork } from '../../test/support/memory-mesh.ts'
import type { JumpingClock } from './clock.ts'

export interface TownOptions { deposit?: number, stake?: number, direct?: boolean, handsOn?: boolean }
export interface TownNode { readonly account: `0x${string}`, readonly facade: NodeFacade }

/**
 * Nodes in one process on a real chain, with every role as `startRoles` starts it. What they say goes through memory, content lies in one map, and every
 * program prints its seed.
 */
export interface Town {
  /** A module that every provider runs, as a job names it. */
  readonly module: string
  open: (name: string, role: NodeOptions['roles'][number], options?: TownOptions) => Promise<TownNode>
  /** Lets about so many seconds pass, for the chain and for everybody's clock, which is ahead of it by less than two; all have seen the block by then, and what is written now counts in the next epoch. */
  pass: (seconds: number) => Promise<void>
  stop: () => Promise<void>
}

/** Short, so that a day takes seconds; more than the machine needs for an epoch's work. */
const EPOCH_MS = 1000
const system = createSystemClock()
/** When in an epoch the clocks go on: time enough for records to go round before the next. */
const WRITTEN_AT = 0.5
const RICH = 1_000_000_000_000

export async function openTown (chainOf: TestChain, clock: JumpingClock): Promise<Town> {
  const random = createSeededRandom(1)
  const memory = createMemoryNetwork(random)
  const content = createContent()
  const peers: Array<{ peerId: string, roles: readonly string[] }> = []
  const books: Book[] = []
  const chains: Chain[] = []
  const records: SignedRecord[] = []
  const lifecycle = createLifecycle()
  const network: Network = {
    name: 'month', devnet: true, rpcUrls: [chainOf.rpcUrl], deployment: chainOf.deployment, bootstrap: [], modulePublishers: [],
    match: DEFAULT_MATCH_RULES, auction: { ...DEVNET_AUCTION_RULES, epochMs: EPOCH_MS }, deal: DEVNET_DEAL_PARAMETERS
  }
  const domain = domainOf(network.deployment)
  const never = AbortSignal.timeout(60_000)
  const wasm = await content.addBytes(new Uint8Array([0]), { pin: false, signal: never })
  const module = await content.addBytes(encodeManifest(manifestForFile('seed', wasm, [])), { pin: false, signal: never })

  const meshOf = (peerId: string, roles: readonly string[]): Mesh => {
    const mesh = memory.node(peerId)
    for (const other of peers) memory.connect(peerId, other.peerId)
    peers.push({ peerId, roles })
    const find: Mesh['roles']['find'] = async (role) => peers.filter((peer) => peer.peerId !== peerId && peer.roles.includes(role)).map((peer) => peer.peerId)
    return { ...mesh, roles: { find, announce: () => undefined, meet: async () => undefined }, penalise: () => undefined } as unknown as Mesh
  }

  const open: Town['open'] = async (name, role, { handsOn, ...options } = {}) => {
    const signer = namedSigner(name)
    await chainOf.fund(signer.address, RICH)
    const nodeOptions: NodeOptions = { root: chainOf.dataPath, networks: [{}], roles: [role], ...options }
    const datastore = createMemoryDatastore()
    const ownChain = await chainOf.chainFor(signer, { datastore })
    chains.push(ownChain)
    const mesh = meshOf(peerIdOf(name), [role])
    const chain = { ...ownChain, send: createCarriedSend({ chain: ownChain, mesh, clock, logger: silentLogger }, { handsOn: handsOn ?? isCarried(nodeOptions) }) }
    const book = createBook({ domain })
    books.push(book)
    for (const record of records) book.merge(record, clock.now(), { bytes: encodeRecord(record) })
    const replica = {
      book, status: () => ({ peers: [] }),
      publish: async (record: SignedRecord) => {
        records.push(record)
        for (const each of books) each.merge(record, clock.now(), { bytes: encodeRecord(record) })
      }
    } as unknown as NodeParts['replica']
    const networkClock = { ...clock, offsetMs: () => 0, measuredMs: () => undefined, isSound: () => true }
    const shared = { options: nodeOptions, chain, clock, networkClock, random, signer, logger: silentLogger, datastore, mesh, replica, network, domain, blocks: content }
    const eligibility = createEligibility({ chain, clock }, { rules: network.auction })
    const contacts = await lifecycle.add(createContacts({ ...shared }, { roles: [role] }))
    const author = await lifecycle.add(createAuthor(shared, { domain }))
    const fleet = await lifecycle.add(createFleet(shared, { domain, facts: plainFacts(nodeOptions) }))
    const auction = createAuction({ ...shared, eligibility, contacts, clock: networkClock }, { rules: network.auction, match: network.match, genesisTime: network.deployment.genesisTime })
    const parts = {
      ...shared, names: [network.name], identity: datastore, machine: machineOf(role), paths: { results: `${chainOf.dataPath}/results-${name}` }, parametersHash: networkParametersHash(network),
      saltSecret: secretOf(signer, 'salt-secret'), orders: createOrders({ chain, signer }), author, eligibility, contacts, auction, room: createDealRoom({ mesh }), fleet
    } as unknown as NodeParts
    await keepFunded(parts)
    const roles = await startRoles(parts, lifecycle)
    await lifecycle.add(auction)
    return { account: signer.address, facade: createFacade(parts, roles) }
  }
  let chainAheadMs = 0
  let clockAheadMs = 0
  const pass: Town['pass'] = async (seconds) => {
    const targetMs = Math.floor(clockAheadMs / 1000 + seconds) * 1000
    await chainOf.advance((targetMs - chainAheadMs) / 1000)
    chainAheadMs = targetMs
    const { timestamp } = await chainOf.clients.request<{ timestamp: Hex }>('eth_getBlockByNumber', ['latest', false])
    await Promise.all(chains.map(async ({ blockTime }) => { while (await blockTime() < hexToNumber(timestamp)) await system.wait(10) }))
    const leastMs = clock.now() + targetMs - clockAheadMs
    const jumpMs = leastMs - clock.now() + EPOCH_MS - (leastMs - network.deployment.genesisTime * 1000 - EPOCH_MS * WRITTEN_AT) % EPOCH_MS
    clockAheadMs += jumpMs
    clock.jump(jumpMs)
  }
  return { module, open, pass, stop: lifecycle.stop }
}

/** A peer id in form; names hold letters that base58 has not. */
function peerIdOf (name: string): string {
  return `12D3KooW${Buffer.from(name).toString('hex').replaceAll('0', 'z')}`.padEnd(40, '1')
}

function machineOf (role: string): NodeParts['machine'] {
  if (role !== 'resource-provider') return {}
  const executor: Partial<WasmExecutor> = {
    engine: 'wasm', fingerprint: 'none', check: () => undefined,
    run: async ({ seed }) => ({ reason: 'exited', exitCode: 0, message: '', stdout: seed, stderr: new Uint8Array(), stdoutTruncated: false, stderrTruncated: false, outputs: new Map(), meter: { wallMs: 1, memoryMiB: 1 } } satisfies ExecutionOutcome)
  }
  const units = ['a', 'b', 'c'].map((name) => ({ name, share: 1 / 3 }))
  return { executor: executor as WasmExecutor, capacity: createCapacityLedger({ cpuMilli: 12_000, memoryMiB: 12_288, diskMiB: 12_288 }, units) }
}
