import type { Deal } from '../deal/deal.ts'
import { createJournal } from '../deal/journal.ts'
import type { createLifecycle } from '../core/lifecycle.ts'
import { createEngine, DEFAULT_ENGINE } from '../match/engines.ts'
import { referenceAlone } from '../match/price.ts'
import { createBatcher } from '../roles/batch/batcher.ts'
import { createDisowning } from '../roles/batch/disowning.ts'
import { createForeignLeaves } from '../roles/batch/foreign-leaves.ts'
import { DEVNET_PACE, PUBLIC_PACE } from '../roles/batch/gathering.ts'
import { createAppeals, type Appeals } from '../roles/appeals.ts'
import { createKnownBatches } from '../roles/batch/known-batches.ts'
import { createLeaves, type Leaves } from '../roles/batch/leaves.ts'
import { createBatchPath, type BatchPath } from '../roles/batch/path.ts'
import { createCarrier } from '../roles/carry/carrier.ts'
import { createSessionKeeper, type SessionKeeper } from '../roles/batch/session-keeper.ts'
import { createClient, type Client } from '../roles/creator/client.ts'
import { createJobStore } from '../roles/creator/job.ts'
import { openDealBook, type DealBook } from '../roles/deal-book.ts'
import { serveDealRoom, type DealAnswers } from '../roles/deal-room.ts'
import { createEquivocations } from '../roles/equivocations.ts'
import { createFloorPoster } from '../roles/floor-poster.ts'
import { serveOpen } from '../roles/opening.ts'
import { createMediator } from '../roles/mediator.ts'
import { createPrefetcher } from '../roles/provider/prefetch.ts'
import { createOfferPublisher } from '../roles/provider/offers.ts'
import { createProvider } from '../roles/provider/provider.ts'
import { publishModule } from '../roles/publisher.ts'
import { createRevealSlasher } from '../roles/reveal-slasher.ts'
import { createSolver } from '../roles/solver.ts'
import { createChannels } from '../roles/vouchers/channels.ts'
import { createVoucherGuard } from '../roles/vouchers/guard.ts'
import { createPurse, type Purse } from '../roles/vouchers/purse.ts'
import { createTill, type Till } from '../roles/vouchers/till.ts'
import { PLAIN_OFFER } from '../wire/resource-offer.ts'
import { FIRST_MODULE_SLOT } from '../book/options.ts'
import type { NodeParts } from './components.ts'
import { NodeError } from './errors.ts'
import { providerFacts, providerPolicy } from './fleet.ts'
import { ACCOUNT_KEY_ROLES } from './options.ts'

/** Places of one account in each shard: jobs rotate through the first half, resource offers follow. */
const FIRST_OFFER_PLACE = 4096
/** A provider's offers are renewed at half of this. */
const OFFER_VALID_MS = 30 * 60_000
/** Longest run a provider of this version takes: an hour. */
const MAX_RUN_SECONDS = 3600

/** What a payee takes of a payer's closing time: the contract's own least. */
const MIN_CLOSE_SECONDS = 600

/** What the roles of a node give to its API. */
export interface RunningRoles { client?: Client, session?: SessionKeeper, appeals?: Appeals, vouchers: { purse: Purse, till: Till } }

/** Throws NodeError NODE_OPERATOR_ROLE for roles that need the account's own key. */
export function assertOperatorRoles (roles: NodeParts['options']['roles']): void {
  const refused = roles.filter((role) => ACCOUNT_KEY_ROLES.includes(role))
  if (refused.length > 0) throw new NodeError('NODE_OPERATOR_ROLE', `an operator cannot be ${refused.join(', ')}: deals and bonds are signed by the account's own key`, { data: { roles: refused }, hint: 'Leave --delegation away for these roles; operators may be module-provider and bootstrap.' })
}

/** Starts the roles that the options name, in an order in which each finds what it needs. */
export async function startRoles (parts: NodeParts, lifecycle: ReturnType<typeof createLifecycle>): Promise<RunningRoles> {
  const { options, network, logger, mesh, chain, signer, clock, random, auction, blocks, fleet, domain } = parts
  const has = (role: NodeParts['options']['roles'][number]): boolean => options.roles.includes(role)
  if (options.fault !== undefined && (!network.devnet || options.fault !== 'wrong-result')) {
    throw new NodeError('NODE_FAULT_REFUSED', network.devnet ? `unknown fault "${options.fault}"` : `--fault is for devnets; ${network.name} is none`, { data: { fault: options.fault, network: network.name }, hint: 'The only fault is wrong-result.' })
  }
  const answers: DealAnswers[] = []
  const books: DealBook[] = []
  const channels = createChannels({ chain, clock })
  const till = createTill({ chain, signer, channels, datastore: parts.datastore, clock }, { minCloseSeconds: MIN_CLOSE_SECONDS })
  const running: RunningRoles = { vouchers: { till, purse: createPurse({ chain, signer, channels, datastore: parts.datastore }) } }
  await lifecycle.add(createVoucherGuard({ chain, channels, till, clock, logger: logger.child('voucher') }))
  const batcher = await lifecycle.add(createBatcher({ ...parts, logger: logger.child('batch') }, { pace: network.devnet ? DEVNET_PACE : PUBLIC_PACE, settleSeconds: network.deal.settleSeconds }))
  const batching = (role: Deal['role'], deals: DealBook): { leaves: Leaves, path: BatchPath } => ({
    leaves: createLeaves({
      deals, chain, clock, logger, known: createKnownBatches(parts, { role }),
      askLeaf: async ({ dealId, solverPeer, terms: { core: { feeTo } } }) => {
        const peer = solverPeer ?? parts.contacts.peerOf(feeTo)
        if (peer === undefined) throw new NodeError('NODE_SOLVER_AWAY', `the solver ${feeTo} is not connected`, { data: { solver: feeTo } })
        return await parts.room.askLeaf(peer, dealId)
      }
    }),
    path: createBatchPath({ chain, deals })
  })
  if ((has('resource-provider') || has('creator')) && options.direct !== true) running.session = await lifecycle.add(createSessionKeeper({ chain, orders: parts.orders, datastore: parts.datastore, clock, logger: logger.child('session') }))
  const consent = { rules: network.match, parameters: network.deal, parametersHash: parts.parametersHash, saltSecret: parts.saltSecret, mediators: () => parts.eligibility.mediators() }

  const { executor, capacity: ledger } = parts.machine

  if (has('resource-provider') && executor !== undefined && ledger !== undefined) {
    const deals = await openDealBook({ journal: createJournal(parts, { role: 'provider' }), clock })
    books.push(deals)
    const policy = providerPolicy(fleet, { reference: network.match.reference, askFactor: options.askFactor })
    const offers = createOfferPublisher({ author: parts.author, replica: parts.replica, ledger, policy, clock, logger }, {
      template: { ...PLAIN_OFFER, engines: [executor.engine], modules: [], maxRunSeconds: MAX_RUN_SECONDS, creators: [], peer: mesh.peerId },
      mediators: async () => [...(await parts.eligibility.mediators()).keys()].slice(0, 32),
      validMs: OFFER_VALID_MS, firstPlace: FIRST_OFFER_PLACE
    })
    const provider = createProvider({ ...parts, ...batching('provider', deals), deals, ledger, offers, policy, executor, logger: logger.child('provider') }, { ...consent, ...(options.fault === 'wrong-result' ? { fault: 'wrong-result' as const } : {}) })
    fleet.reportBy(() => providerFacts(options, { ledger, deals, policy }))
    fleet.onChange(() => { offers.refresh() })
    deals.onUpdate(() => { fleet.touch() })
    answers.push(provider.answers)
    await lifecycle.add(provider)
    await lifecycle.add(createPrefetcher({ replica: parts.replica, blocks, logger }, { publishers: network.modulePublishers }))
  }
  if (has('creator')) {
    const deals = await openDealBook({ journal: createJournal(parts, { role: 'creator' }), clock })
    books.push(deals)
    const client = createClient({ ...parts, ...batching('creator', deals), isBonded: auction.isBonded, deals, jobs: createJobStore(parts), logger: logger.child('creator') }, {
      ...consent, publishers: network.modulePublishers, resultsPath: parts.paths.results, firstPlace: 0,
      referencePrice: (job) => referenceAlone({ ...job, gpus: [] }, network.match),
      mediatorList: async () => [...(await parts.eligibility.mediators()).keys()]
    })
    answers.push(client.answers)
    running.client = await lifecycle.add(client)
  }
  // Whoever may have money in a session, now or from an earlier start.
  if (books.length > 0) {
    running.appeals = createAppeals({ books, chain, signer })
    await lifecycle.add(createEquivocations({ books, chain, clock, logger: logger.child('court') }))
    const leaves = createForeignLeaves({ datastore: parts.datastore, known: createKnownBatches(parts, { role: 'owner' }) })
    await lifecycle.add(createDisowning({
      chain, books, leaves, signer, clock, logger: logger.child('batch'),
      askConsent: async (solver, dealId) => {
        const peer = parts.contacts.peerOf(solver)
        if (peer === undefined) throw new NodeError('NODE_SOLVER_AWAY', `the solver ${solver} is not connected`, { data: { solver } })
        return await parts.room.askConsent(peer, dealId)
      }
    }, { leastSlash: network.deal.claimFee }))
  }
  const stopServing = serveDealRoom({ mesh }, answers)
  await lifecycle.add({ start: async () => { await Promise.resolve() }, stop: async () => { stopServing(); await Promise.resolve() } })

  if (has('mediator') && executor !== undefined) await lifecycle.add(createMediator({ ...parts, executor, logger: logger.child('mediator') }))
  if (has('solver')) {
    await lifecycle.add(createCarrier({ mesh, chain, datastore: parts.datastore, clock, logger: logger.child('carry') }))
    await lifecycle.add(createRevealSlasher({ auction, chain, clock, random, logger: logger.child('slash') }))
    const engine = await createEngine({ logger }, options.engine ?? DEFAULT_ENGINE)
    await lifecycle.add(createSolver({ mesh, batcher, auction, engine, chain, contacts: parts.contacts, signer, clock: parts.networkClock, random, logger: logger.child('solver') }))
  } else {
    // Whoever is no solver keeps the market alive when no solver answers, and opens what its own posting matched.
    const stopping = new AbortController()
    const stop = serveOpen({ mesh, batcher, auction, chain, contacts: parts.contacts, signer, clock, logger }, stopping.signal)
    await lifecycle.add({ start: async () => { await Promise.resolve() }, stop: async () => { stopping.abort(); stop(); await Promise.resolve() } })
    if (!has('creator')) await lifecycle.add(createFloorPoster({ auction, signer, clock: parts.networkClock, random, logger: logger.child('floor'), domain }))
  }
  if (has('module-provider')) {
    for (const folder of options.modules ?? []) await publishModule(parts, { folder, firstSlot: FIRST_MODULE_SLOT, signal: AbortSignal.timeout(30_000) })
  }
  return running
}
