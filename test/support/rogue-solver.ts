import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { hexToBytes } from 'viem'
import { BOOK_DEFAULTS } from '../../src/book/options.ts'
import { createBookReplica } from '../../src/book/replica.ts'
import { createChain } from '../../src/chain/chain.ts'
import { domainOf } from '../../src/chain/deployment.ts'
import { loadNetwork } from '../../src/config/network.ts'
import { createSystemClock } from '../../src/core/clock.ts'
import { createLifecycle } from '../../src/core/lifecycle.ts'
import { silentLogger as logger } from '../../src/core/logger.ts'
import { createSystemRandom } from '../../src/core/random.ts'
import { secretOf } from '../../src/identity/secret.ts'
import { createEngine } from '../../src/match/engines.ts'
import { createMesh, type Mesh } from '../../src/mesh/mesh.ts'
import { createOrders } from '../../src/roles/orders.ts'
import { keepFunded } from '../../src/node/funding.ts'
import { openKey } from '../../src/node/keys.ts'
import { createAuction } from '../../src/roles/auction.ts'
import { createContacts } from '../../src/roles/contacts.ts'
import { createEligibility } from '../../src/roles/eligibility.ts'
import { createNetworkClock } from '../../src/roles/network-clock.ts'
import { createBatcher } from '../../src/roles/batch/batcher.ts'
import { DEVNET_PACE } from '../../src/roles/batch/gathering.ts'
import { createDealRoom } from '../../src/roles/deal-room.ts'
import { createSolver } from '../../src/roles/solver.ts'
import { createDatastore } from '../../src/store/datastore.ts'
import { encodeAuctionMessage } from '../../src/wire/auction.ts'
import { OPEN_PROTOCOL } from '../../src/wire/deal-room.ts'
import { auctionTopic, recordsTopic } from '../../src/wire/topics.ts'

/**
 * A solver with a fault, as a process of its own in a devnet: `rogue-solver.ts NETWORK FOLDER FAULT [PEER...]`. Made of the node's own parts; only what the fault names is
 * different. It prints its account, and "competing" when it is bonded and takes part.
 *
 * `dies-when-asked`: killed when a creator asks whether it opens, the provider having signed. `dies-when-bound`: killed when it would send the opening of a deal
 * that it promised. `reveals-late`: commits in time, reveals when reveals are closed. `reveals-to-some`: reveals to the peers named and to nobody
 * else.
 */
const [networkPath = '', root = '', fault = '', ...some] = process.argv.slice(2)
const die = (): never => {
  process.kill(process.pid, 'SIGKILL')
  throw new Error('killed')
}

const network = await loadNetwork(networkPath)
const domain = domainOf(network.deployment)
const clock = createSystemClock()
const random = createSystemRandom()
const lifecycle = createLifecycle()
await mkdir(root, { recursive: true })
const signer = await openKey(root)
process.stdout.write(`account ${signer.address}\n`)
const datastore = await lifecycle.add(createDatastore({ logger }, { path: join(root, 'datastore') }))
const chain = await lifecycle.add(createChain({ signer, datastore, clock, logger }, { deployment: network.deployment, rpcUrls: network.rpcUrls, devnet: true }))
await keepFunded({ chain, orders: createOrders({ chain, signer }), signer, clock, logger, options: { roles: ['solver'], stake: network.auction.minSolverBond } })
const { shards } = BOOK_DEFAULTS
const mesh = await lifecycle.add(createMesh({ datastore, logger, clock, random }, { network: `${network.name}/${domain.chainId}/${domain.market}`, bootstrap: network.bootstrap, topics: [...shards.map((shard) => recordsTopic(domain.chainId, shard)), auctionTopic(domain.chainId)] }))
const replica = await lifecycle.add(createBookReplica({ mesh, datastore, clock, logger, domain, random }, { secret: hexToBytes(secretOf(signer, 'book')) }))
const contacts = await lifecycle.add(createContacts({ mesh, signer, clock, logger, domain }, { roles: ['solver'] }))
const networkClock = await lifecycle.add(createNetworkClock({ mesh, clock, logger }, { maxOffMs: network.auction.epochMs }))
const eligibility = createEligibility({ chain, clock }, { rules: network.auction })
const auction = createAuction({ mesh, replica, eligibility, contacts, chain, clock: networkClock, logger, domain }, { rules: network.auction, match: network.match, genesisTime: network.deployment.genesisTime })

const { gossip } = mesh.libp2p.services as unknown as { gossip: { sendRpcInBatch: (peers: Set<string>, packet: unknown) => void } }
const sendTo = gossip.sendRpcInBatch.bind(gossip)
const say: typeof auction.say = async (message) => {
  if (message.type !== 'reveal' || !fault.startsWith('reveals-')) { await auction.say(message); return }
  const { epoch } = message.reveal
  const untilClosed = async (): Promise<void> => { await clock.wait(auction.phases(epoch).fallbackDeadline - clock.now()) }
  if (fault === 'reveals-late') {
    await untilClosed()
    // Its own node would not say this.
    await mesh.topics.publish(auction.topic, encodeAuctionMessage(message))
  } else {
    gossip.sendRpcInBatch = (peers, packet) => { sendTo(new Set([...peers].filter((peer) => some.includes(peer))), packet) }
    await auction.say(message)
    await untilClosed()
    gossip.sendRpcInBatch = sendTo
  }
  process.stdout.write(`revealed ${epoch}\n`)
}
const serve: Mesh['requests']['serve'] = (protocol, limits, handler) => mesh.requests.serve(protocol, limits, protocol === OPEN_PROTOCOL && fault === 'dies-when-asked' ? die : handler)
const send: typeof chain.send = fault === 'dies-when-bound' ? die : chain.send
const batcher = await lifecycle.add(createBatcher({ chain: { ...chain, address: chain.address, domain, send }, room: createDealRoom({ mesh }), datastore, clock, logger }, { pace: DEVNET_PACE, settleSeconds: network.deal.settleSeconds }))
await lifecycle.add(createSolver({ batcher, mesh: { requests: { ...mesh.requests, serve } }, auction: { ...auction, say }, engine: await createEngine({ logger }, 'floor'), chain: { ...chain, domain, send }, contacts, signer, clock: networkClock, random, logger }))
await lifecycle.add(auction)
mesh.roles.announce(['solver'])
process.stdout.write('competing\n')
