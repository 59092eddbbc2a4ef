import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { hexToBytes } from 'viem'
import { BOOK_DEFAULTS } from '../src/book/options.ts'
import { createBookReplica } from '../src/book/replica.ts'
import { createChain } from '../src/chain/chain.ts'
import { domainOf, type Deployment } from '../src/chain/deployment.ts'
import { createSystemClock } from '../src/core/clock.ts'
import { createLifecycle } from '../src/core/lifecycle.ts'
import { createLogger } from '../src/core/logger.ts'
import { createSystemRandom } from '../src/core/random.ts'
import { createSigner } from '../src/identity/signer.ts'
import { createEngine } from '../src/match/engines.ts'
import type { AuctionRules, MatchRules } from '../src/match/options.ts'
import { createMesh, type Mesh } from '../src/mesh/mesh.ts'
import { createAuction } from '../src/roles/auction.ts'
import { createContacts } from '../src/roles/contacts.ts'
import type { AuctionDecision } from '../src/roles/decision.ts'
import { createEligibility } from '../src/roles/eligibility.ts'
import { createNetworkClock } from '../src/roles/network-clock.ts'
import { createBatcher } from '../src/roles/batch/batcher.ts'
import { DEVNET_PACE } from '../src/roles/batch/gathering.ts'
import { createDealRoom } from '../src/roles/deal-room.ts'
import { createSolver } from '../src/roles/solver.ts'
import { createDatastore } from '../src/store/datastore.ts'
import { decodeAuctionMessage, solutionIdOf } from '../src/wire/auction.ts'
import { decodeRecord } from '../src/wire/record.ts'
import type { Hash } from '../src/wire/shapes.ts'
import { auctionTopic, recordsTopic } from '../src/wire/topics.ts'
import { cpuMs, serveCommands } from './commands.ts'
import { unpackRecords } from './offers.ts'
import { connectTo, meshPeers } from './real-node.ts'

/** One solver of `auction.ts` and `replay.ts`: the node's own mesh, book, chain, auction and solver, put together as `src/node/create-node.ts` does, with what the benchmark wants to know. */
export interface StartSpec { folder: string, key: Hash, rpcUrl: string, deployment: Deployment, auction: AuctionRules, match: MatchRules, engine: string }
/** A pair of the winner. Prices and money are nLILY. */
export interface DecidedPair { job: Hash, offer: Hash, devices: readonly number[], price: number }
/** An epoch as this node ranked it; unix ms. */
export interface Decided { epoch: number, atMs: number, winner: Hash | undefined, engine: string, score: number, solutions: number, pairs?: DecidedPair[] }
/** A reveal that this node took, its own included. */
export interface Heard { epoch: number, solutionId: Hash, bytes: number, atMs: number }

/** Bare gossip beside the auction's: the same size, nothing to check. */
const PLAIN_TOPIC = '/bench/plain/1'

interface Running { mesh: Mesh, topic: string, publish: (packed: Uint8Array) => Promise<number>, live: () => number, stop: () => Promise<void> }
let node: Running | undefined
const running = (): Running => {
  if (node === undefined) throw new Error('not started')
  return node
}
/** What went wrong here, newest last: for who wonders why an epoch has no winner. */
let problems: string[] = []
const logger = createLogger({ level: 'warn', write: (line) => { problems = [...problems.slice(-9), line.trim()] }, now: Date.now })
let withPairs = false
let decided: Decided[] = []
let heard: Heard[] = []
let plain: Array<{ key: string, atMs: number }> = []
const keyOf = (data: Uint8Array): string => Buffer.from(data.subarray(0, 8)).toString('hex')

async function start (spec: StartSpec): Promise<string> {
  const clock = createSystemClock()
  const random = createSystemRandom()
  const lifecycle = createLifecycle()
  const signer = createSigner(hexToBytes(spec.key))
  const domain = domainOf(spec.deployment)
  const { shards } = BOOK_DEFAULTS
  await mkdir(spec.folder, { recursive: true })
  const datastore = await lifecycle.add(createDatastore({ logger }, { path: join(spec.folder, 'datastore') }))
  const chain = await lifecycle.add(createChain({ signer, datastore, clock, logger }, { deployment: spec.deployment, rpcUrls: [spec.rpcUrl], devnet: true }))
  const mesh = await lifecycle.add(createMesh({ datastore, logger, clock, random }, { network: 'bench', topics: [...shards.map((shard) => recordsTopic(domain.chainId, shard)), auctionTopic(domain.chainId), PLAIN_TOPIC] }))
  const replica = await lifecycle.add(createBookReplica({ mesh, datastore, clock, logger, domain, random }, { secret: new Uint8Array(32) }))
  const eligibility = createEligibility({ chain, clock }, { rules: spec.auction })
  const contacts = await lifecycle.add(createContacts({ mesh, signer, clock, logger, domain }, { roles: ['solver'] }))
  const networkClock = await lifecycle.add(createNetworkClock({ mesh, clock, logger }, { maxOffMs: Math.floor(spec.auction.epochMs / 4) }))
  const topics = { ...mesh.topics, subscribe: watched(mesh.topics.subscribe) }
  const auction = createAuction({ mesh: { topics }, replica, eligibility, contacts, chain, clock: networkClock, logger, domain }, { rules: spec.auction, match: spec.match, genesisTime: spec.deployment.genesisTime })
  auction.onDecided((decision) => { decided.push(summaryOf(decision, auction.prices)) })
  const say: typeof auction.say = async (message) => {
    await auction.say(message)
    if (message.type === 'reveal') hear(message.reveal.epoch, message.reveal.solution)
  }
  const batcher = createBatcher({ chain, room: createDealRoom({ mesh }), datastore, clock, logger }, { pace: DEVNET_PACE, settleSeconds: 2 })
  await lifecycle.add(createSolver({ mesh, batcher, auction: { ...auction, say }, engine: await createEngine({ logger }, spec.engine), chain, contacts, signer, clock: networkClock, random, logger }))
  await lifecycle.add(auction)
  mesh.topics.subscribe(PLAIN_TOPIC, { maxBytes: 65_536, validate: async (data) => { plain.push({ key: keyOf(data), atMs: clock.now() }); return await Promise.resolve('accept') } })
  node = {
    mesh,
    topic: auction.topic,
    publish: async (packed) => {
      for (const bytes of unpackRecords(packed)) await replica.publish(decodeRecord(domain, bytes))
      return replica.book.live('offer').length
    },
    live: () => replica.book.live('offer').length + replica.book.live('job').length,
    stop: lifecycle.stop
  }
  return mesh.addresses()[0] as string

  function hear (epoch: number, solution: Uint8Array): void {
    heard.push({ epoch, solutionId: solutionIdOf(solution), bytes: solution.byteLength, atMs: clock.now() })
  }

  /** A reveal counts as held when it is checked, just before it is passed on. */
  function watched (subscribe: Mesh['topics']['subscribe']): Mesh['topics']['subscribe'] {
    return (topic, options) => subscribe(topic, {
      ...options,
      validate: async (data, from) => {
        const verdict = await options.validate(data, from)
        const message = verdict === 'accept' ? decodeAuctionMessage(data) : undefined
        if (message?.type === 'reveal') hear(message.reveal.epoch, message.reveal.solution)
        return verdict
      }
    })
  }

  function summaryOf ({ epoch, ranking, pairingsOf }: AuctionDecision, prices: typeof auction.prices): Decided {
    const best = ranking[0]
    const won = best?.winner === true ? best : undefined
    const summary: Decided = { epoch, atMs: clock.now(), winner: won?.solutionId, engine: won?.engine ?? '', score: won?.score ?? 0, solutions: ranking.length }
    if (!withPairs || won === undefined) return summary
    const pairs = won.solution.matches.flatMap(({ job }) => pairingsOf(job).slice(0, 1)).map((pair): DecidedPair => ({ job: pair.job.id, offer: pair.offer.id, devices: pair.devices, price: prices.priceFor(epoch, pair, prices.setFor(epoch, pair)) }))
    return { ...summary, pairs }
  }
}

serveCommands({
  start,
  connect: async (addresses: string[]) => { await connectTo(running().mesh, addresses) },
  meshPeers: () => meshPeers(running().mesh.libp2p.services['gossip'], running().topic),
  publish: async (packed: Uint8Array) => await running().publish(packed),
  live: () => running().live(),
  /** Decisions carry their pairs and prices from now on. */
  pairs: () => { withPairs = true },
  plain: async (data: Uint8Array) => {
    const atMs = createSystemClock().now()
    await running().mesh.topics.publish(PLAIN_TOPIC, data)
    return { key: keyOf(data), atMs }
  },
  cpuMs,
  take: () => {
    const taken = { decided, heard, plain, problems }
    decided = []
    heard = []
    plain = []
    problems = []
    return taken
  }
}, async () => { await node?.stop() })
