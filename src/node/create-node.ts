import { randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { hexToBytes } from 'viem'
import { createApiServer } from '../api/server.ts'
import { createViewEndpoint } from '../api/view/endpoint.ts'
import { createAuthor } from '../book/author.ts'
import { BOOK_DEFAULTS } from '../book/options.ts'
import { createBookReplica, type BookReplica } from '../book/replica.ts'
import { createShardPeers, shardRoles } from '../book/shard-peers.ts'
import { createChain } from '../chain/chain.ts'
import { createLedger } from '../chain/ledger/ledger.ts'
import { followedShards } from '../config/markets.ts'
import { loadNetwork, networkParametersHash } from '../config/network.ts'
import { dataPaths, dataRoot } from '../config/paths.ts'
import { createSystemClock } from '../core/clock.ts'
import { createLifecycle } from '../core/lifecycle.ts'
import { createLogger } from '../core/logger.ts'
import { createSystemRandom } from '../core/random.ts'
import { domainOf } from '../chain/deployment.ts'
import { createFleet } from '../fleet/fleet.ts'
import { loadDelegation } from '../identity/delegation-file.ts'
import { secretOf } from '../identity/secret.ts'
import { createMesh } from '../mesh/mesh.ts'
import { createAuction } from '../roles/auction.ts'
import { createCarriedSend } from '../roles/carry/carried.ts'
import { createContacts } from '../roles/contacts.ts'
import { createDealRoom } from '../roles/deal-room.ts'
import { createEligibility } from '../roles/eligibility.ts'
import { createNetworkClock } from '../roles/network-clock.ts'
import { createOrders } from '../roles/orders.ts'
import { createStanding, type Standing } from '../roles/standing.ts'
import { createBlocks } from '../store/blocks.ts'
import { createDatastore } from '../store/datastore.ts'
import { auctionTopic, recordsTopic } from '../wire/topics.ts'
import type { NodeParts } from './components.ts'
import { createFacade } from './facade.ts'
import { plainFacts, readRoster } from './fleet.ts'
import { keepFunded } from './funding.ts'
import { openKey, writeWhole } from './keys.ts'
import type { NodeOptions } from './options.ts'
import { assertOperatorRoles, startRoles } from './roles.ts'

/** A running node: its API's address, and how to stop it. */
export interface LilyNode { api: { url: string, token: string, pid: number }, stop: () => Promise<void> }

/** The whole node on one page: builds the parts in order, starts them, and stops them in reverse. */
export async function createNode (options: NodeOptions): Promise<LilyNode> {
  const root = dataRoot(options.root)
  const paths = dataPaths(root)
  await mkdir(root, { recursive: true })
  const clock = createSystemClock()
  const random = createSystemRandom()
  const logger = createLogger({ level: options.logLevel ?? 'info', write: (line) => { process.stderr.write(line) }, now: clock.now })
  if (options.delegationPath !== undefined) assertOperatorRoles(options.roles)
  const network = await loadNetwork(options.networkPath ?? paths.network)
  const domain = domainOf(network.deployment)
  const shards = followedShards(network, options.markets)
  const lifecycle = createLifecycle()

  const datastore = await lifecycle.add(createDatastore({ logger }, { path: paths.datastore }))
  try {
    const signer = await openKey(root)
    const ownChain = createChain({ signer, datastore, clock, logger: logger.child('chain') }, { deployment: network.deployment, rpcUrls: network.rpcUrls, devnet: network.devnet, ...(network.chain === undefined ? {} : { tuning: network.chain }) })
    // Before the chain, which then hands it every event.
    const ledger = await lifecycle.add(createLedger({ chain: ownChain, datastore, clock, logger: logger.child('ledger') }, { account: signer.address }))
    const [, mesh] = await bothStarted(
      lifecycle.add(ownChain),
      lifecycle.add(createMesh({ datastore, logger, clock, random }, {
        network: `${network.name}/${domain.chainId}/${domain.market}`, bootstrap: network.bootstrap,
        topics: [...shards.map((shard) => recordsTopic(domain.chainId, shard)), auctionTopic(domain.chainId)],
        isPublic: network.public === true, psk: network.psk, relay: options.relay === true || options.roles.includes('bootstrap'),
        reachability: options.reachability ?? 'auto', upnp: options.upnp === true, announce: options.announce ?? [],
        ...(options.listen === undefined || options.listen.length === 0 ? {} : { listen: options.listen })
      }))
    )
    const chain = { ...ownChain, send: createCarriedSend({ chain: ownChain, mesh, clock, logger: logger.child('carry') }) }
    const orders = createOrders({ chain, signer })
    const blocks = await lifecycle.add(createBlocks({ mesh, datastore, logger }, { path: paths.blocks }))
    const standing: Standing = createStanding({ chain, clock, logger }, { book: () => replica.book, maxFree: BOOK_DEFAULTS.maxFree })
    const replica: BookReplica = await lifecycle.add(createBookReplica({ mesh, datastore, clock, logger: logger.child('book'), domain, random }, { secret: hexToBytes(secretOf(signer, 'book')), shards, weight: standing.weight }))
    await lifecycle.add(standing)
    await lifecycle.add(createShardPeers({ mesh, clock, logger }, { chainId: domain.chainId, shards }))
    const delegation = options.delegationPath === undefined ? undefined : await loadDelegation(options.delegationPath, { domain, operator: signer.address, peerId: mesh.peerId, nowSeconds: Math.floor(clock.now() / 1000) })
    const author = await lifecycle.add(createAuthor({ datastore, clock, signer }, { domain, ...(delegation === undefined ? {} : { account: delegation.account, delegation }) }))
    const eligibility = createEligibility({ chain, clock }, { rules: network.auction })
    const contacts = await lifecycle.add(createContacts({ mesh, signer, clock, logger, domain }, { roles: options.roles }))
    const networkClock = await lifecycle.add(createNetworkClock({ mesh, clock, logger }, { maxOffMs: Math.floor(network.auction.epochMs / 4) }))
    const fleet = await lifecycle.add(createFleet({ mesh, datastore, signer, clock, random, logger }, { domain, facts: plainFacts(options) }))
    if (options.fleetPath !== undefined) await fleet.use(await readRoster(options.fleetPath))
    const auction = createAuction({ mesh, replica, eligibility, contacts, chain, clock: networkClock, logger: logger.child('auction'), domain }, { rules: network.auction, match: network.match, genesisTime: network.deployment.genesisTime })
    const parts: NodeParts = {
      options, paths, network, parametersHash: networkParametersHash(network), saltSecret: secretOf(signer, 'salt-secret'),
      clock, networkClock, random, logger, signer, datastore, chain, ledger, orders, mesh, blocks, replica, author, eligibility, contacts, auction,
      room: createDealRoom({ mesh }), fleet, domain
    }
    await keepFunded(parts)
    const roles = await startRoles(parts, lifecycle)
    await lifecycle.add(auction)
    mesh.roles.announce([...options.roles, ...shardRoles(shards)])

    const token = randomBytes(24).toString('hex')
    const server = createApiServer({ facade: createFacade(parts, roles), view: createViewEndpoint(parts), logger: logger.child('api') }, { port: options.apiPort ?? 0, token })
    await lifecycle.add(server)
    const api = { url: server.url(), token, pid: process.pid }
    await writeWhole(paths.api, api)
    logger.info('ready', { account: signer.address, roles: options.roles, api: api.url })
    return {
      api,
      stop: async () => {
        await rm(paths.api, { force: true })
        await lifecycle.stop()
      }
    }
  } catch (error) {
    await Promise.allSettled([lifecycle.stop()])
    throw error
  }
}

/** Waits for both also when one fails, so that nothing starts behind the back of what is being stopped; the first failure counts. */
async function bothStarted<A, B> (first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  const both = Promise.all([first, second])
  await both.catch(() => Promise.allSettled([first, second]))
  return await both
}
