import { join } from 'node:path'
import type { Author } from '../../book/author.ts'
import type { BookReplica } from '../../book/replica.ts'
import type { Chain } from '../../chain/chain.ts'
import type { Clock } from '../../core/clock.ts'
import { errorMessage } from '../../core/errors.ts'
import type { Startable } from '../../core/lifecycle.ts'
import type { Logger } from '../../core/logger.ts'
import type { Mesh } from '../../mesh/mesh.ts'
import type { Blocks } from '../../store/blocks.ts'
import { dealIdOf, dealRestHash } from '../../wire/deal-terms.ts'
import type { Deal } from '../../deal/deal.ts'
import { PLAIN_JOB } from '../../wire/job-offer.ts'
import { bodyShard, slotAt } from '../../wire/shard.ts'
import type { Address } from '../../wire/shapes.ts'
import type { AuctionView } from '../auction.ts'
import { createAccusing } from '../batch/accusing.ts'
import { createDealWatch } from '../deal-watch.ts'
import type { Contacts } from '../contacts.ts'
import { createCourt } from '../court.ts'
import type { DealAnswers } from '../deal-room.ts'
import { createVerdicts } from '../verdicts.ts'
import { createCreatorAnswers } from './answers.ts'
import { cancelJob } from './cancel.ts'
import { createFollower } from './follow.ts'
import { assertFunded } from './funds.ts'
import { isJobOver, type Job, type JobStore } from './job.ts'
import { createJobTable, type JobTable } from './job-table.ts'
import { createJudge, type JudgeComponents } from './judge.ts'
import { createListing, OFFER_VALID_MS } from './listing.ts'
import { createMatched } from './matched.ts'
import { createNegotiation, type NegotiateComponents, type NegotiateOptions } from './negotiate.ts'
import { createReceiver } from './receiver.ts'
import { createStatements } from './statements.ts'
import { createVersionOf } from './version.ts'
import { prepareOffer, type JobRequest, type ManifestCache, type SubmitComponents, type SubmitOptions } from './submit.ts'

export interface ClientComponents extends Omit<NegotiateComponents, 'versionOf'>, Omit<JudgeComponents, 'statements' | 'court' | 'verdicts'>, Omit<SubmitComponents, 'manifests'> {
  mesh: Pick<Mesh, 'roles' | 'peerId'>
  contacts: Pick<Contacts, 'peerOf'>
  jobs: JobStore
  author: Author
  replica: BookReplica
  blocks: Blocks
  auction: Pick<AuctionView, 'onDecided' | 'prices' | 'decision' | 'checkPair' | 'noteStalled' | 'say'>
  chain: Pick<Chain, 'domain' | 'send' | 'onEvent' | 'onLost' | 'blockTime' | 'isNullified' | 'account' | 'address' | 'caughtUp' | 'deployment' | 'hurry' | 'mediators' | 'stateOf' | 'moduleVersion'>
  clock: Clock
  logger: Logger
}
export interface ClientOptions extends NegotiateOptions, SubmitOptions { resultsPath: string, mediatorList: () => Promise<readonly Address[]>, firstPlace: number }

/** The creator role: jobs in, results out. */
export interface Client extends Startable {
  answers: DealAnswers
  /** RoleError JOB_UNFUNDED, JOB_NOT_WASM, JOB_MODULE_UNAVAILABLE, or RegistryError. */
  submit: (request: JobRequest) => Promise<Job>
  /** RoleError JOB_UNKNOWN, JOB_OVER, JOB_BOUND. */
  cancel: (jobId: string) => Promise<Job>
  job: JobTable['find']
  jobs: JobTable['all']
  dealsOf: JobTable['dealsOf']
  onJob: JobTable['onSave']
}

/** Places of each shard that jobs of one account rotate through; below the account's quota. */
const JOB_SLOTS = 4096
/** A job offer names at most this many mediators. */
const MAX_MEDIATORS = 32

export function createClient (components: ClientComponents, options: ClientOptions): Client {
  const { jobs: store, deals, leaves, chain, clock, logger, signer } = components
  const stopping = new AbortController()
  const manifests: ManifestCache = new Map()
  const table = createJobTable(components)
  const listing = createListing({ ...components, table })
  const versionOf = createVersionOf(components, options)
  const negotiation = createNegotiation({ ...components, versionOf }, options)
  const matched = createMatched({ ...components, table, listing, negotiation })
  const follower = createFollower({ table, listing, clock, logger })
  const statements = createStatements({ ...components, peerOf: components.contacts.peerOf })
  const accusing = createAccusing({ deals, chain, clock, logger }, { signal: stopping.signal })
  const verdicts = createVerdicts(components, { domain: chain.domain, signal: stopping.signal })
  const court = createCourt({ ...components, verdicts }, { signal: stopping.signal })
  const judge = createJudge({ ...components, statements, court, verdicts }, { signal: stopping.signal })
  const receiver = createReceiver({ ...components, judge }, {
    signal: stopping.signal,
    pathOf: (deal) => join(options.resultsPath, table.jobOf(deal)?.id ?? deal.dealId),
    onComplete: async (deal, result) => {
      const job = table.jobOf(deal)
      if (job !== undefined) await table.save(job, (changed) => { changed.result = result; changed.completedAtMs = clock.now() })
    }
  })
  const watch = createDealWatch({ deals, leaves, chain, clock, logger }, {
    onTick: async (blockTime) => {
      for (const job of table.all().filter(matched.isWaiting)) await listing.renew(job)
      receiver.resume(table.waitingForResult())
      await statements.resend()
      await accusing.tick(blockTime)
      for (const deal of deals.open()) judge.escalate(deal, blockTime).catch((error: unknown) => { logger.warn('deal.escalate', { dealId: deal.dealId, error: errorMessage(error) }) })
    }
  })
  const stops: Array<() => void> = []

  const submit = async (request: JobRequest): Promise<Job> => {
    const parts = await prepareOffer({ ...components, manifests }, options, request)
    await assertFunded({ ...components, versionOf }, options, parts)
    const mediators = (await options.mediatorList()).slice(0, MAX_MEDIATORS)
    const jobNumber = await nextFreeNumber()
    const now = clock.now()
    const id = dealIdOf(chain.domain, signer.address, jobNumber, 0)
    const offer = { ...PLAIN_JOB, ...parts, jobNumber, validUntil: now + OFFER_VALID_MS, deadline: now + OFFER_VALID_MS, mediators, avoid: [], attempt: 0, peer: components.mesh.peerId }
    const job: Job = { id, jobNumber, slot: slotAt(bodyShard(offer), options.firstPlace + jobNumber % JOB_SLOTS), offer, offerId: id, state: 'DealNegotiating', deals: [], avoid: [], createdAtMs: now, updatedAtMs: now }
    table.add(job)
    await listing.publish(job)
    logger.info('job.submitted', { job: id, module: offer.moduleName, limit: offer.limit })
    return job
  }

  /** Skips numbers that the chain has seen: a restored disk must not reuse one. */
  const nextFreeNumber = async (): Promise<number> => {
    let number = await store.nextNumber(0)
    while (await chain.isNullified(signer.address, number, 0)) number = await store.nextNumber(number + 1)
    return number
  }

  /** The chain tells whether a promise was broken: also here, before anybody hears of it. */
  const tellBroken = ({ state, promise, terms: { core, rest } }: Deal): void => {
    if (state !== 'Cancelled' || promise === undefined) return
    components.auction.say({ type: 'promise', promise: { core, restHash: dealRestHash(rest), signature: promise } })
      .catch((error: unknown) => { logger.debug('deal.promise', { solver: core.feeTo, error: errorMessage(error) }) })
  }

  /** Picks up every job where the last run of this node left it. */
  const restore = async (): Promise<void> => {
    await table.load()
    for (const deal of deals.all()) {
      const job = table.find(dealIdOf(chain.domain, signer.address, deal.terms.core.jobNumber, 0))
      if (job === undefined) continue
      table.bind(deal, job)
      if (deal.state === 'DealNegotiating') void negotiation.send(deal)
      // The deal was journalled first: a crash in between must not let the job be matched twice.
      if (!job.deals.includes(deal.dealId)) await table.save(job, (changed) => { changed.deals = [...changed.deals, deal.dealId] })
    }
    stops.push(deals.onUpdate(follower.onDeal), deals.onUpdate(tellBroken), components.auction.onDecided(matched.onDecided))
    for (const job of table.all()) {
      if (isJobOver(job)) continue
      const deal = table.dealsOf(job).at(-1)
      if (deal !== undefined) await follower.follow(job, deal)
      else await listing.publish(job)
    }
  }

  return {
    answers: createCreatorAnswers({ deals, leaves, chain, signer, clock, receive: receiver.receive }),
    submit,
    cancel: async (jobId) => await cancelJob({ ...components, table, listing }, jobId, stopping.signal),
    job: table.find,
    jobs: table.all,
    dealsOf: table.dealsOf,
    onJob: table.onSave,
    start: async () => {
      await restore()
      stops.push(chain.onEvent(accusing.onEvent), chain.onLost(accusing.onLost))
      await watch.start()
    },
    stop: async () => {
      for (const stop of stops) stop()
      stopping.abort(new Error('the node is stopping'))
      await watch.stop()
      await receiver.idle()
    }
  }
}
