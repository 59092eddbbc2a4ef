import { hexToBytes } from 'viem'
import type { ServedNetwork } from '../api/served-network.ts'
import { createViewEndpoint } from '../api/view/endpoint.ts'
import { createAuthor } from '../book/author.ts'
import { BOOK_DEFAULTS } from '../book/options.ts'
import { createBookReplica, type BookReplica } from '../book/replica.ts'
import { createShardPeers, shardRoles } from '../book/shard-peers.ts'
import { createChain } from '../chain/chain.ts'
import { domainOf } from '../chain/deployment.ts'
import { createLedger } from '../chain/ledger/ledger.ts'
import { followedShards } from '../config/markets.ts'
import { networkParametersHash, type Network } from '../config/network.ts'
import { isDebugged, networkPaths } from '../config/paths.ts'
import type { createLifecycle } from '../core/lifecycle.ts'
import type { Logger } from '../core/logger.ts'
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
import type { NodeParts, SharedParts } from './components.ts'
import { createFacade } from './facade.ts'
import { plainFacts, readRoster } from './fleet.ts'
import { isCarried, keepFunded } from './funding.ts'
import type { NetworkOptions } from './options.ts'
import { startRoles } from './roles.ts'

/** A node on one network, on one page: builds the parts in order and starts them; nothing of another network is within their reach. */
export async function startOnNetwork (shared: SharedParts & { logger: Logger }, network: Network, own: NetworkOptions, lifecycle: ReturnType<typeof createLifecycle>): Promise<ServedNetwork> {
  const { options, clock, random, signer, logger, identity } = shared
  const domain = domainOf(network.deployment)
  const paths = networkPaths(options.root, domain)
  const shards = followedShards(network, own.markets)

  const datastore = await lifecycle.add(createDatastore({ logger }, { path: paths.datastore }))
  const ownChain = createChain({ signer, datastore, clock, logger: logger.child('chain') }, { deployment: network.deployment, rpcUrls: network.rpcUrls, devnet: network.devnet, ...(network.chain === undefined ? {} : { tuning: network.chain }) })
  // Before the chain, which then hands it every event.
  const ledger = await lifecycle.add(createLedger({ chain: ownChain, datastore, clock, logger: logger.child('ledger') }, { account: signer.address }))
  const [, mesh] = await bothStarted(
    lifecycle.add(ownChain),
    lifecycle.add(createMesh({ datastore, identity, logger, clock, random }, {
      network: `${network.name}/${domain.chainId}/${domain.market}`, bootstrap: network.bootstrap,
      topics: [...shards.map((shard) => recordsTopic(domain.chainId, shard)), auctionTopic(domain.chainId)],
      isPublic: network.public === true, psk: network.psk, relay: options.relay === true || options.roles.includes('bootstrap'),
      reachability: options.reachability ?? 'auto', upnp: options.upnp === true, announce: own.announce ?? [], libp2pLog: isDebugged(),
      ...(own.listen === undefined || own.listen.length === 0 ? {} : { listen: own.listen })
    }))
  )
  const chain = { ...ownChain, send: createCarriedSend({ chain: ownChain, mesh, clock, logger: logger.child('carry') }, { handsOn: isCarried(options) }) }
  const orders = createOrders({ chain, signer })
  const blocks = await lifecycle.add(createBlocks({ mesh, datastore, logger }, { path: paths.blocks }))
  const standing: Standing = createStanding({ chain, clock, logger }, { book: () => replica.book, maxFree: BOOK_DEFAULTS.maxFree })
  const replica: BookReplica = await lifecycle.add(createBookReplica({ mesh, datastore, clock, logger: logger.child('book'), domain, random }, { secret: hexToBytes(secretOf(signer, 'book')), shards, weight: standing.weight }))
  await lifecycle.add(standing)
  await lifecycle.add(createShardPeers({ mesh, clock, logger }, { chainId: domain.chainId, shards }))
  const delegation = own.delegationPath === undefined ? undefined : await loadDelegation(own.delegationPath, { domain, operator: signer.address, peerId: mesh.peerId, nowSeconds: Math.floor(clock.now() / 1000) })
  const author = await lifecycle.add(createAuthor({ datastore, clock, signer }, { domain, ...(delegation === undefined ? {} : { account: delegation.account, delegation }) }))
  const eligibility = createEligibility({ chain, clock }, { rules: network.auction })
  const contacts = await lifecycle.add(createContacts({ mesh, signer, clock, logger, domain }, { roles: options.roles }))
  const networkClock = await lifecycle.add(createNetworkClock({ mesh, clock, logger }, { maxOffMs: Math.floor(network.auction.epochMs / 4) }))
  const fleet = await lifecycle.add(createFleet({ mesh, datastore, signer, clock, random, logger }, { domain, facts: plainFacts(options) }))
  if (own.fleetPath !== undefined) await fleet.use(await readRoster(own.fleetPath))
  const auction = createAuction({ mesh, replica, eligibility, contacts, chain, clock: networkClock, logger: logger.child('auction'), domain }, { rules: network.auction, match: network.match, genesisTime: network.deployment.genesisTime })
  const parts: NodeParts = {
    ...shared, paths, network, parametersHash: networkParametersHash(network), saltSecret: secretOf(signer, 'salt-secret'),
    networkClock, datastore, chain, ledger, orders, mesh, blocks, replica, author, eligibility, contacts, auction,
    room: createDealRoom({ mesh }), fleet, domain
  }
  await keepFunded(parts)
  const roles = await startRoles(parts, lifecycle)
  await lifecycle.add(auction)
  mesh.roles.announce([...options.roles, ...shardRoles(shards)])
  return { facade: createFacade(parts, roles), view: createViewEndpoint(parts) }
}

/** Waits for both also when one fails, so that nothing starts behind the back of what is being stopped; the first failure counts. */
async function bothStarted<A, B> (first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  const both = Promise.all([first, second])
  await both.catch(() => Promise.allSettled([first, second]))
  return await both
}
