import { decodeFunctionData } from 'viem'
import { createBook, type Book } from '../../src/book/book.ts'
import { createAuthor } from '../../src/book/author.ts'
import { ABIS } from '../../src/chain/abis.ts'
import type { Chain, ChainEvent } from '../../src/chain/chain.ts'
import { createManualClock } from '../../src/core/clock.ts'
import { createLogger, silentLogger } from '../../src/core/logger.ts'
import { createSeededRandom } from '../../src/core/random.ts'
import type { Deal } from '../../src/deal/deal.ts'
import { createJournal } from '../../src/deal/journal.ts'
import { DEVNET_DEAL_PARAMETERS } from '../../src/deal/options.ts'
import { keyOf } from '../../src/match/certificate.ts'
import type { Engine } from '../../src/match/engine.ts'
import { DEFAULT_AUCTION_RULES, DEFAULT_MATCH_RULES, type AuctionRules } from '../../src/match/options.ts'
import { tickFor } from '../../src/match/ticks.ts'
import { createAuction, type AuctionView } from '../../src/roles/auction.ts'
import { createBatcher } from '../../src/roles/batch/batcher.ts'
import { DEVNET_PACE } from '../../src/roles/batch/gathering.ts'
import { createKnownBatches } from '../../src/roles/batch/known-batches.ts'
import { createLeaves } from '../../src/roles/batch/leaves.ts'
import { createBatchPath } from '../../src/roles/batch/path.ts'
import { createClient, type Client, type ClientComponents } from '../../src/roles/creator/client.ts'
import { createJobStore } from '../../src/roles/creator/job.ts'
import { openDealBook, type DealBook } from '../../src/roles/deal-book.ts'
import { createDealRoom, serveDealRoom } from '../../src/roles/deal-room.ts'
import { createEligibility } from '../../src/roles/eligibility.ts'
import { createFloorPoster } from '../../src/roles/floor-poster.ts'
import type { NetworkClock } from '../../src/roles/network-clock.ts'
import { serveOpen } from '../../src/roles/opening.ts'
import { createCapacityLedger } from '../../src/roles/provider/capacity.ts'
import { createProvider, type ProviderComponents } from '../../src/roles/provider/provider.ts'
import { createSolver } from '../../src/roles/solver.ts'
import type { Ask } from '../../src/wire/resource-offer.ts'
import { dealIdOf, type DealCore } from '../../src/wire/deal-terms.ts'
import type { AuctionMessage } from '../../src/wire/auction.ts'
import { encodeRecord, type SignedRecord } from '../../src/wire/record.ts'
import type { Address, Hash } from '../../src/wire/shapes.ts'
import { hash } from '../deal/deals.ts'
import type { Signer } from '../../src/identity/signer.ts'
import { createMemoryDatastore } from './memory-datastore.ts'
import { createMemoryNetwork, type MemoryNetwork } from './memory-mesh.ts'
import { DOMAIN, jobBody, offerBody, signRecord, T0, testSigner } from './records.ts'

const logger = process.env['LILY_TEST_LOG'] === undefined ? silentLogger : createLogger({ level: 'debug', write: (line) => { process.stderr.write(line) }, now: Date.now })
const GENESIS = T0 / 1000
const FREE = 1_000_000_000_000
const STEP_MS = 100

/** A member of the market. Its clock may go wrong by `skewMs`. */
export interface Member {
  readonly name: string
  readonly signer: Signer
  readonly account: Address
  readonly mesh: ReturnType<MemoryNetwork['node']>
  readonly auction: AuctionView
  readonly book: Book
  readonly deals: { creator: DealBook, provider: DealBook }
  skewMs: number
  /** Set where the member knows that its clock is wrong. */
  measuredMs?: number
  client?: Client
  /** Ends it as a kill does: it answers and says nothing any more. */
  kill: () => void
}

/**
 * A market of real roles over a mesh in memory and one clock that moves when told to: auction, consent and opening as nodes do them. The chain is a map
 * with the nullifier's rule, and nothing is executed.
 */
export interface TestMarket {
  readonly clock: ReturnType<typeof createManualClock>
  readonly members: Map<string, Member>
  /** Deals that were opened, in order: no id twice. */
  readonly opened: Array<{ dealId: Hash, core: DealCore, by: string }>
  /** Who cannot open deals, though it promises. */
  readonly lame: Set<string>
  member: (name: string) => Member
  /** Hands over what a solver would send of this type instead of sending it. */
  holdBack: (solver: string, type: AuctionMessage['type'], take: (message: AuctionMessage, send: () => Promise<void>) => void) => void
  /** By the beginning of the name: creator (with a job), provider (with an offer at a share of the reference price), solver, poster. */
  add: (name: string, options?: { askPercent?: number, engine?: Engine }) => Promise<Member>
  connectAll: () => void
  /** Cuts every link between the two groups; the returned function mends them. */
  part: (one: readonly string[], other: readonly string[]) => () => void
  /** Moves time on and lets everybody act. */
  run: (ms: number) => Promise<void>
  /** Until the start of the next epoch. */
  boundary: () => Promise<void>
  stop: () => Promise<void>
}

export async function openMarket (options: { rules?: Partial<AuctionRules> } = {}): Promise<TestMarket> {
  const rules = { ...DEFAULT_AUCTION_RULES, ...options.rules }
  const clock = createManualClock(T0)
  const random = createSeededRandom(5)
  const network = createMemoryNetwork(random)
  const members = new Map<string, Member>()
  const accounts = new Map<Address, string>()
  const nullified = new Set<Hash>()
  const listeners = new Set<(event: ChainEvent) => void | Promise<void>>()
  const opened: TestMarket['opened'] = []
  const lame = new Set<string>()
  const holds = new Map<string, (message: AuctionMessage, send: () => Promise<void>) => void>()
  const stops: Array<() => Promise<void>> = []
  const consent = { rules: DEFAULT_MATCH_RULES, parameters: DEVNET_DEAL_PARAMETERS, parametersHash: hash(9), mediators: async () => new Map<Address, number>() }

  const records: SignedRecord[] = []
  const publish = (record: SignedRecord): void => {
    records.push(record)
    for (const { book } of members.values()) book.merge(record, clock.now(), { bytes: encodeRecord(record) })
  }
  const chainOf = (name: string, account: Address, isAlive: () => boolean): Chain => ({
    address: account, domain: DOMAIN, deployment: { parameters: { unbondSeconds: 1000 }, contracts: { batches: hash(4) } }, session: async () => ({ funds: 0, allowed: 0, expiry: 0 }), mediators: async () => [], blockTime: async () => Math.floor(clock.now() / 1000),
    account: async (who: Address) => ({ free: FREE, locked: 0, bond: accounts.get(who)?.startsWith('solver') === true ? FREE : 0, unbonding: 0 }),
    isNullified: async (creator: Address, jobNumber: number, attempt: number) => nullified.has(dealIdOf(DOMAIN, creator, jobNumber, attempt)),
    onEvent: (listener: (event: ChainEvent) => void) => { listeners.add(listener); return () => { listeners.delete(listener) } },
    onLost: () => () => undefined,
    hurry: () => () => undefined,
    send: async (call: { data: Hash }) => {
      const { functionName, args } = decodeFunctionData({ abi: ABIS.market, data: call.data })
      if (functionName !== 'open' || lame.has(name) || !isAlive()) throw new Error(`${name} cannot send ${functionName}`)
      const core = { ...(args as readonly unknown[])[0] as Record<string, unknown> }
      for (const [key, value] of Object.entries(core)) core[key] = typeof value === 'bigint' ? Number(value) : typeof value === 'string' ? value.toLowerCase() : value
      const { creator, jobNumber, attempt, openBy } = core as unknown as DealCore
      const dealId = dealIdOf(DOMAIN, creator, jobNumber, attempt)
      if (nullified.has(dealId) || clock.now() / 1000 > openBy) throw new Error('reverted')
      nullified.add(dealId)
      opened.push({ dealId, core: core as unknown as DealCore, by: name })
      const event = { contract: 'market', name: 'DealOpened', args: {}, dealId, blockNumber: 1, blockTime: Math.floor(clock.now() / 1000), logIndex: opened.length, transactionHash: hash(opened.length) }
      for (const listener of listeners) await listener(event as unknown as ChainEvent)
      return { name: 'open', hash: hash(opened.length), gas: 1, from: account }
    }
  }) as unknown as Chain

  const add: TestMarket['add'] = async (name, { askPercent = 100, engine } = {}) => {
    const signer = testSigner(100 + members.size)
    accounts.set(signer.address, name)
    let isAlive = true
    const peerId = peerIdOf(name)
    const mesh = network.node(peerId)
    mesh.tamper = async (_peer, _protocol, answer) => isAlive ? answer : await new Promise<never>((_resolve, reject) => { reject(new Error('gone')) })
    const own: NetworkClock = { now: () => clock.now() + member.skewMs, after: clock.after, wait: clock.wait, offsetMs: () => 0, measuredMs: () => member.measuredMs, isSound: () => member.measuredMs === undefined }
    const datastore = createMemoryDatastore()
    const book = createBook({ domain: DOMAIN })
    for (const record of records) book.merge(record, clock.now(), { bytes: encodeRecord(record) })
    const chain = chainOf(name, signer.address, () => isAlive)
    const replica = { book, publish: async (record: SignedRecord) => { if (isAlive) publish(record) } }
    const eligibility = createEligibility({ chain, clock: own }, { rules })
    const contacts = { peerOf: (account: Address) => { const known = accounts.get(account); return known === undefined ? undefined : peerIdOf(known) } }
    const topics = { ...mesh.topics, publish: async (topic: string, data: Uint8Array) => { if (isAlive) await mesh.topics.publish(topic, data) } }
    const auction = createAuction({ mesh: { topics }, replica, eligibility, contacts, chain, clock: own, logger, domain: DOMAIN }, { rules, match: DEFAULT_MATCH_RULES, genesisTime: GENESIS })
    const open = async (role: Deal['role']): Promise<DealBook> => await openDealBook({ journal: createJournal({ datastore }, { role }), clock: own })
    const deals = { creator: await open('creator'), provider: await open('provider') }
    const member: Member = { name, signer, account: signer.address, mesh, auction, book, deals, skewMs: 0, kill: () => { isAlive = false } }
    members.set(name, member)
    const room = createDealRoom({ mesh })
    const author = createAuthor({ datastore, clock: own, signer }, { domain: DOMAIN })
    await author.start()
    const batcher = createBatcher({ chain, room, datastore, clock: own, logger }, { pace: DEVNET_PACE, settleSeconds: 2 })
    const batching = (book: DealBook): object => ({ path: createBatchPath({ chain, deals: book }), leaves: createLeaves({ deals: book, chain, clock: own, logger, known: createKnownBatches({ datastore }, { role: 'creator' }), askLeaf: async () => { throw new Error('not batched') } }) })
    const shared = { isBonded: auction.isBonded, auction, room, chain, signer, clock: own, random, logger, replica, author, contacts, eligibility }

    if (name.startsWith('creator')) {
      const jobs = createJobStore({ datastore, clock: own })
      const id = dealIdOf(DOMAIN, signer.address, 1, 0)
      const offer = jobBody({ jobNumber: 1, resources: { cpuMilli: 100, memoryMiB: 64, diskMiB: 16 }, runSeconds: 10, limit: 10_000_000, validUntil: T0 + 600_000, peer: peerId })
      await jobs.save({ id, jobNumber: 1, slot: 1, offer, offerId: id, state: 'DealNegotiating', deals: [], avoid: [], createdAtMs: T0, updatedAtMs: T0 })
      member.client = createClient({ ...shared, ...batching(deals.creator), mesh: { peerId }, deals: deals.creator, jobs, blocks: {} } as unknown as ClientComponents, {
        ...consent, saltSecret: hash(7), publishers: [], resultsPath: '/nowhere', firstPlace: 0, referencePrice: () => 1, mediatorList: async () => []
      })
      await member.client.start()
      stops.push(serveStops(serveDealRoom({ mesh }, [member.client.answers])), member.client.stop)
    }
    if (name.startsWith('provider')) {
      const provider = createProvider({
        ...shared, ...batching(deals.provider), deals: deals.provider, ledger: createCapacityLedger({ cpuMilli: 4000, memoryMiB: 4096, diskMiB: 1024 }, [{ name: 'a', share: 1 }]), policy: { isOpen: () => true },
        offers: { unitOf: () => 'a', refresh: () => undefined, withdrawStale: async () => undefined, settled: async () => undefined }, blocks: {}, executor: {}
      } as unknown as ProviderComponents, { ...consent, saltSecret: hash(8) })
      await provider.start()
      publish(signRecord(signer, 'offer', { seq: clock.now(), body: offerBody({ ask: askOf(askPercent), validUntil: T0 + 600_000, peer: peerId }) }))
      stops.push(serveStops(serveDealRoom({ mesh }, [provider.answers])), provider.stop)
    }
    if (name.startsWith('solver') && engine !== undefined) {
      const solver = createSolver({ mesh, batcher, auction: { ...auction, say: async (message) => {
        const send = async (): Promise<void> => { if (isAlive) await auction.say(message) }
        const hold = holds.get(`${name} ${message.type}`)
        if (hold === undefined) await send()
        else hold(message, send)
      } }, engine, chain, contacts, signer, clock: own, random, logger })
      await solver.start()
      stops.push(solver.stop)
    } else {
      const stopping = new AbortController()
      stops.push(serveStops(serveOpen({ mesh, batcher, auction, chain, contacts, signer, clock: own, logger }, stopping.signal)))
    }
    if (name.startsWith('poster')) {
      const poster = createFloorPoster({ auction, signer, clock: own, random, logger, domain: DOMAIN })
      await poster.start()
      stops.push(poster.stop)
    }
    await auction.start()
    stops.push(auction.stop)
    return member
  }

  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 12; turn++) {
      await network.idle()
      await new Promise((resolve) => { setImmediate(resolve) })
    }
  }
  const run = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      clock.advance(Math.min(STEP_MS, ms - passed))
      await settle()
    }
  }
  const names = (): string[] => [...members.keys()]
  const pairs = (one: readonly string[], other: readonly string[]): Array<[string, string]> => one.flatMap((left) => other.filter((right) => right !== left).map((right): [string, string] => [left, right]))
  return {
    clock, members, opened, lame, run, add,
    member: (name) => members.get(name) as Member,
    holdBack: (solver, type, take) => { holds.set(`${solver} ${type}`, take) },
    connectAll: () => { for (const [left, right] of pairs(names(), names())) if (left < right) network.connect(peerIdOf(left), peerIdOf(right)) },
    part: (one, other) => {
      for (const [left, right] of pairs(one, other)) network.disconnect(peerIdOf(left), peerIdOf(right))
      return () => { for (const [left, right] of pairs(one, other)) network.connect(peerIdOf(left), peerIdOf(right)) }
    },
    boundary: async () => { await run(rules.epochMs - (clock.now() - T0) % rules.epochMs) },
    stop: async () => { for (const stop of stops.reverse()) await stop() }
  }
}

function askOf (percent: number): Ask {
  const { base, cpuMilliSecond, memoryMiBSecond, diskMiBSecond } = DEFAULT_MATCH_RULES.reference
  const share = (amount: number): number => tickFor(Math.floor(amount * percent / 100))
  return { base: share(base), cpuMilliSecond: share(cpuMilliSecond), memoryMiBSecond: share(memoryMiBSecond), diskMiBSecond: share(diskMiBSecond) }
}

function serveStops (stop: () => void): () => Promise<void> {
  return async () => {
    stop()
    await Promise.resolve()
  }
}

/** A peer id in form; names hold letters that base58 has not. */
function peerIdOf (name: string): string {
  return `12D3KooW${Buffer.from(name).toString('hex').replaceAll('0', 'z')}`.padEnd(40, '1')
}

/** An engine that matches every job with this member's offer, and asks for `rent` of a milli-core on all machines without GPUs. */
export function matching (name: () => Address, rent?: number): Engine {
  return {
    name: 'fixed',
    solve: async (snapshot, { onPrices }) => {
      if (rent !== undefined) onPrices?.({ entries: [{ key: keyOf('[]'), prices: [rent, 0, 0, 0, 0, 0, 0, 0] }] })
      const offer = snapshot.offers.find(({ account }) => account === name())
      return { epoch: snapshot.epoch, engine: 'fixed', matches: offer === undefined ? [] : snapshot.jobs.filter((job) => !job.offer.avoid.includes(offer.account)).map((job) => ({ job: job.id, offer: offer.id, devices: [] })) }
    }
  }
}
