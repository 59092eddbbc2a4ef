import { createAuthor } from '../../src/book/author.ts'
import type { Chain, ChainOptions } from '../../src/chain/chain.ts'
import { createSystemClock, type Clock } from '../../src/core/clock.ts'
import { createLogger, silentLogger } from '../../src/core/logger.ts'
import { createSeededRandom } from '../../src/core/random.ts'
import type { Deal } from '../../src/deal/deal.ts'
import { createJournal } from '../../src/deal/journal.ts'
import { DEVNET_DEAL_PARAMETERS } from '../../src/deal/options.ts'
import type { ExecutionOutcome, Executor } from '../../src/exec/executor.ts'
import type { Signer } from '../../src/identity/signer.ts'
import { DEFAULT_MATCH_RULES } from '../../src/match/options.ts'
import { inputsTree } from '../../src/registry/inputs.ts'
import { RequestError } from '../../src/mesh/errors.ts'
import { encodeManifest, manifestForFile } from '../../src/registry/manifest.ts'
import { createLeaves } from '../../src/roles/batch/leaves.ts'
import { createKnownBatches } from '../../src/roles/batch/known-batches.ts'
import { createBatchPath } from '../../src/roles/batch/path.ts'
import { createClient, type Client, type ClientComponents } from '../../src/roles/creator/client.ts'
import { createJobStore, type JobStore } from '../../src/roles/creator/job.ts'
import { openDealBook, type DealBook } from '../../src/roles/deal-book.ts'
import { createDealRoom, serveDealRoom } from '../../src/roles/deal-room.ts'
import { createMediator, type MediatorComponents } from '../../src/roles/mediator.ts'
import { serveOpen, type OpeningComponents } from '../../src/roles/opening.ts'
import { createCapacityLedger } from '../../src/roles/provider/capacity.ts'
import { createProvider, type ProviderComponents } from '../../src/roles/provider/provider.ts'
import type { Fault } from '../../src/roles/provider/work.ts'
import type { Datastore } from '../../src/store/datastore.ts'
import { dealIdOf } from '../../src/wire/deal-terms.ts'
import { encodeRecord } from '../../src/wire/record.ts'
import type { Address, Hash } from '../../src/wire/shapes.ts'
import { hash } from '../deal/deals.ts'
import type { TestChain } from './chain.ts'
import { createContent } from './content.ts'
import { signDeal, type DealSetup, type SignedDeal } from './deals.ts'
import { createMemoryDatastore } from './memory-datastore.ts'
import { createMemoryNetwork } from './memory-mesh.ts'
import { createMortal, type Mortal } from './mortal.ts'
import { jobBody, signRecord } from './records.ts'

const logger = process.env['LILY_TEST_LOG'] === undefined ? silentLogger : createLogger({ level: 'debug', write: (line) => { process.stderr.write(line) }, now: Date.now })
const random = createSeededRandom(1)
const system = createSystemClock()
/** The machine's time; pauses of the roles are a fifth of what they are, so that a deal takes a second. */
export const clock: Clock = { now: system.now, after: (delayMs, task) => system.after(delayMs / 5, task), wait: async (delayMs, signal) => { await system.wait(delayMs / 5, signal) } }

/** A node of a scene. `chain` sends nothing and `datastore` writes nothing once it was killed. */
export interface SceneNode { readonly signer: Signer, readonly chain: Chain, readonly mortal: Mortal, stop: () => Promise<void> }
export interface CreatorNode extends SceneNode { readonly client: Client, readonly deals: DealBook, readonly jobs: JobStore }
export interface ProviderNode extends SceneNode { readonly deals: DealBook }

/** The peer id of an account's node; base58 has no 0. */
const peerIdOf = (account: Address): string => `12D3KooW${account.slice(2).replaceAll('0', 'z')}`

/** What a node is opened with. `disk`: what it finds there. `isDeaf`: nobody reaches it while it answers true. */
export interface NodeOptions { signer: Signer, disk?: Datastore, chain?: Partial<ChainOptions>, isDeaf?: () => boolean }

/**
 * Creator, provider, solver and mediators as their real roles on the real contracts, from the moment both have signed the terms. What they say goes through
 * memory, content lies in one map, and every program prints its seed.
 */
export interface DealScene {
  openCreator: (options: NodeOptions) => Promise<CreatorNode>
  openProvider: (options: NodeOptions & { fault?: Fault }) => Promise<ProviderNode>
  /** One that opens deals. */
  openSolver: (options: NodeOptions) => Promise<SceneNode>
  openMediator: (options: NodeOptions & { onRun?: () => void }) => Promise<SceneNode>
  /** A deal as it stands when the creator has signed: with the provider, and with its job on the disk from which the creator's node is opened next. */
  agree: (creator: { signer: Signer, disk: Datastore }, provider: ProviderNode, setup: Omit<DealSetup, 'domain' | 'creator' | 'provider'>) => Promise<SignedDeal>
}

export async function createDealScene (test: TestChain): Promise<DealScene> {
  const network = createMemoryNetwork(random)
  const content = createContent()
  /** Whether the node behind a peer id is away. */
  const nodes = new Map<string, () => boolean>()
  const signal = AbortSignal.timeout(60_000)
  const wasm = await content.addBytes(new Uint8Array([0]), { pin: false, signal })
  const module = await content.addBytes(encodeManifest(manifestForFile('seed', wasm, [])), { pin: false, signal })
  const inputs = await content.addTree(inputsTree({}, new Map()), { pin: false, signal })
  const consent = { rules: DEFAULT_MATCH_RULES, parameters: DEVNET_DEAL_PARAMETERS, parametersHash: hash(9), saltSecret: hash(7), mediators: async () => new Map<Address, number>() }
  const contacts = { peerOf: (account: Address) => nodes.has(peerIdOf(account)) ? peerIdOf(account) : undefined }

  /** Who is dead or deaf is not reached and reaches nobody. */
  const meshOf = ({ signer, isDeaf }: NodeOptions, mortal: Mortal): ProviderComponents['mesh'] & ClientComponents['mesh'] & MediatorComponents['mesh'] => {
    const peerId = peerIdOf(signer.address)
    const mesh = network.node(peerId)
    const isAway = (): boolean => mortal.isDead() || isDeaf?.() === true
    const assertThere = (to: string): void => { if (isAway() || nodes.get(to)?.() !== false) throw new RequestError('MESH_UNREACHABLE', `cannot reach ${to}`) }
    for (const other of nodes.keys()) if (other !== peerId) network.connect(peerId, other)
    nodes.set(peerId, isAway)
    const request: typeof mesh.requests.request = async (to, ...rest) => {
      assertThere(to)
      try {
        return await mesh.requests.request(to, ...rest)
      } finally {
        assertThere(to)
      }
    }
    return { peerId, roles: { find: async () => [] }, requests: { ...mesh.requests, request } } as unknown as ReturnType<typeof meshOf>
  }
  const openNode = async (options: NodeOptions): Promise<{ node: SceneNode, mesh: ReturnType<typeof meshOf>, datastore: Datastore }> => {
    const mortal = createMortal(options.disk ?? createMemoryDatastore())
    const open = await test.chainFor(options.signer, { datastore: mortal.chainStore, tuning: { pollMs: 200 }, ...options.chain })
    return { node: { signer: options.signer, mortal, chain: mortal.wrap(open), stop: open.stop }, mesh: meshOf(options, mortal), datastore: mortal.datastore }
  }
  const openParty = async (role: Deal['role'], options: NodeOptions): Promise<Awaited<ReturnType<typeof openNode>> & { shared: object, deals: DealBook }> => {
    const opened = await openNode(options)
    const { node: { signer, chain }, mesh, datastore } = opened
    const deals = await openDealBook({ journal: createJournal({ datastore }, { role }), clock })
    const leaves = createLeaves({ deals, chain, clock, logger, known: createKnownBatches({ datastore }, { role }), askLeaf: async () => { throw new Error('not batched') } })
    return { ...opened, deals, shared: { deals, leaves, chain, mesh, signer, clock, logger, contacts, room: createDealRoom({ mesh }), path: createBatchPath({ chain, deals }), blocks: content } }
  }
  const executor = (onRun?: () => void): Executor => ({
    engine: 'wasm', fingerprint: 'e', start: async () => undefined, stop: async () => undefined, check: () => undefined,
    run: async ({ seed }) => {
      onRun?.()
      return { reason: 'exited', exitCode: 0, message: '', stdout: seed, stderr: new Uint8Array(), stdoutTruncated: false, stderrTruncated: false, outputs: new Map(), meter: { wallMs: 1, memoryMiB: 1 } } satisfies ExecutionOutcome
    }
  })

  return {
    openCreator: async (options) => {
      const { node, mesh, datastore, deals, shared } = await openParty('creator', options)
      const jobs = createJobStore({ datastore, clock })
      const author = createAuthor({ datastore, clock, signer: node.signer }, { domain: node.chain.domain })
      await author.start()
      const client = createClient({
        ...shared, jobs, author, auction: { onDecided: () => () => undefined, say: async () => undefined }, replica: { publish: async () => undefined, book: { get: () => undefined } }, isBonded: () => true
      } as unknown as ClientComponents, { ...consent, publishers: [], resultsPath: `${test.dataPath}/results`, firstPlace: 0, referencePrice: () => 1, mediatorList: async () => [] })
      const unserve = serveDealRoom({ mesh }, [client.answers])
      await client.start()
      return { ...node, client, deals, jobs, stop: async () => { unserve(); await client.stop(); await author.stop(); await node.stop() } }
    },
    openProvider: async ({ fault, ...options }) => {
      const { node, mesh, deals, shared } = await openParty('provider', options)
      const provider = createProvider({
        ...shared, executor: executor(), ledger: createCapacityLedger({ cpuMilli: 4000, memoryMiB: 4096, diskMiB: 1024 }, [{ name: 'a', share: 1 }]), policy: { isOpen: () => true },
        offers: { unitOf: () => 'a', refresh: () => undefined, withdrawStale: async () => undefined, settled: async () => undefined }
      } as unknown as ProviderComponents, { ...consent, ...(fault === undefined ? {} : { fault }) })
      const unserve = serveDealRoom({ mesh }, [provider.answers])
      await provider.start()
      return { ...node, deals, stop: async () => { unserve(); await provider.stop(); await node.stop() } }
    },
    openSolver: async (options) => {
      const { node, mesh } = await openNode(options)
      const stopping = new AbortController()
      const unserve = serveOpen({ mesh, chain: node.chain, signer: node.signer, contacts, clock, logger, auction: { feeOf: () => 0 } } as unknown as OpeningComponents, stopping.signal)
      return { ...node, stop: async () => { unserve(); stopping.abort(new Error('stopping')); await node.stop() } }
    },
    openMediator: async ({ onRun, ...options }) => {
      const { node, mesh, datastore } = await openNode(options)
      const mediator = createMediator({ mesh, contacts, blocks: content, executor: executor(onRun), chain: node.chain, datastore, signer: node.signer, clock, logger })
      await mediator.start()
      return { ...node, stop: async () => { await mediator.stop(); await node.stop() } }
    },
    agree: async (creator, provider, setup) => {
      const domain = { chainId: test.deployment.chainId, market: test.deployment.contracts.market }
      const now = clock.now()
      const offer = jobBody({ jobNumber: setup.jobNumber, module, inputs, validUntil: now + 3_000_000, deadline: now + 3_600_000, peer: peerIdOf(creator.signer.address) })
      const record = signRecord(creator.signer, 'job', { body: offer, domain, seq: now, slot: setup.jobNumber })
      const signed = signDeal({ domain, creator: creator.signer, provider: provider.signer, ...setup, rest: { submitSeconds: 600, judgeSeconds: 600, challengeSeconds: 300, startBy: setup.now + 70, ...setup.rest, jobOfferId: record.id } })
      const { dealId, terms, consent: { creatorSignature, providerSignature } } = signed
      const deal: Omit<Deal, 'role' | 'ownSalt' | 'peer'> = { dealId, state: 'DealNegotiating', epoch: 1, terms, mediators: signed.creatorView.mediators, jobRecord: encodeRecord(record), devices: [], providerSignature, transactions: [], updatedAtMs: now }
      await createJournal({ datastore: creator.disk }, { role: 'creator' }).save({ ...deal, role: 'creator', ownSalt: signed.salts.creator, peer: peerIdOf(provider.signer.address), solverPeer: peerIdOf(setup.feeTo), creatorSignature })
      await provider.deals.add({ ...deal, role: 'provider', ownSalt: signed.salts.provider, peer: peerIdOf(creator.signer.address) })
      const id: Hash = dealIdOf(domain, creator.signer.address, setup.jobNumber, 0)
      await createJobStore({ datastore: creator.disk, clock }).save({ id, jobNumber: setup.jobNumber, slot: setup.jobNumber, offer, offerId: record.id, state: 'DealNegotiating', deals: [dealId], avoid: [], createdAtMs: now, updatedAtMs: now })
      return signed
    }
  }
}
