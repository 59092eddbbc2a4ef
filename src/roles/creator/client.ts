import { join } from 'node:path'
import type { Author } from '../../book/author.ts'
import type { BookReplica } from '../../book/replica.ts'
import { nullifyCall } from '../../chain/calls.ts'
import type { Chain } from '../../chain/chain.ts'
import type { Clock } from '../../core/clock.ts'
import { errorCode, errorMessage } from '../../core/errors.ts'
import type { Startable } from '../../core/lifecycle.ts'
import type { Logger } from '../../core/logger.ts'
import type { Deal } from '../../deal/deal.ts'
import { isTerminal, type DealState } from '../../deal/states.ts'
import type { Mesh } from '../../mesh/mesh.ts'
import type { Blocks } from '../../store/blocks.ts'
import { nullifyDigest } from '../../wire/deal-messages.ts'
import { dealIdOf } from '../../wire/deal-terms.ts'
import { encodeRecord } from '../../wire/record.ts'
import type { Address, Hash } from '../../wire/shapes.ts'
import type { AuctionDecision, AuctionView, Pairing } from '../auction.ts'
import { createDealWatch } from '../deal-watch.ts'
import { RoleError } from '../errors.ts'
import type { DealAnswers } from '../deal-room.ts'
import { createCreatorAnswers } from './answers.ts'
import { isJobOver, type Job, type JobStore } from './job.ts'
import { createJudge, type JudgeComponents } from './judge.ts'
import { createNegotiation, type NegotiateComponents, type NegotiateOptions } from './negotiate.ts'
import { createReceiver } from './receiver.ts'
import { OFFER_VALID_MS, prepareOffer, worstCost, type JobRequest, type ManifestCache, type SubmitComponents, type SubmitOptions } from './submit.ts'

export interface ClientComponents extends NegotiateComponents, JudgeComponents, Omit<SubmitComponents, 'manifests'> {
  mesh: Pick<Mesh, 'roles' | 'peerId'>
  jobs: JobStore
  author: Author
  replica: BookReplica
  blocks: Blocks
  auction: Pick<AuctionView, 'onDecided'>
  chain: Pick<Chain, 'domain' | 'send' | 'onEvent' | 'blockTime' | 'isNullified' | 'account' | 'deployment' | 'hurry' | 'stateOf'>
  clock: Clock
  logger: Logger
}
export interface ClientOptions extends NegotiateOptions, SubmitOptions { resultsPath: string, mediatorList: () => Promise<readonly Address[]>, firstSlot: number }

/** The creator role: jobs in, results out. */
export interface Client extends Startable {
  answers: DealAnswers
  submit: (request: JobRequest) => Promise<Job>
  cancel: (jobId: Hash) => Promise<Job>
  job: (jobId: Hash) => Job | undefined
  jobs: () => Job[]
  dealsOf: (job: Job) => Deal[]
  onJob: (listener: (job: Job) => void) => () => void
}

/** A refused or silent pair is left alone this long; a provider that was found to cheat is not tried again for the job. */
const REFUSED_MS = 20_000
/** A provider that did not finish a deal: long enough for the others to be tried, short enough for one that was restarted. */
const FAILED_MS = 300_000
const MAX_ATTEMPTS = 8

export function createClient (components: ClientComponents, options: ClientOptions): Client {
  const { jobs: store, deals, author, replica, chain, clock, logger, signer } = components
  const stopping = new AbortController()
  const jobs = new Map<Hash, Job>()
  const manifests: ManifestCache = new Map()
  const byDeal = new Map<Hash, Job>()
  const listeners = new Set<(job: Job) => void>()
  const negotiating = new Set<Hash>()
  const judge = createJudge(components, { signal: stopping.signal })
  const negotiation = createNegotiation(components, options)
  const receiver = createReceiver({ ...components, judge }, { signal: stopping.signal, pathOf: (deal) => join(options.resultsPath, byDeal.get(deal.dealId)?.id ?? deal.dealId), onComplete: async (deal, result) => {
    const job = byDeal.get(deal.dealId)
    if (job !== undefined) await save(job, (changed) => { changed.result = result; changed.completedAtMs = clock.now() })
  } })
  const watch = createDealWatch({ deals, chain, clock, logger }, {
    onTick: async (blockTime) => {
      await renewOffers()
      receiver.resume(waitingForResult())
      for (const deal of deals.open()) judge.escalate(deal, blockTime).catch((error: unknown) => { logger.warn('deal.escalate', { dealId: deal.dealId, error: errorMessage(error) }) })
    }
  })
  const stops: Array<() => void> = []

  const save = async (job: Job, change: (job: Job) => void): Promise<void> => {
    change(job)
    job.updatedAtMs = clock.now()
    await store.save(job)
    for (const listener of listeners) listener(job)
  }
  const activeDeal = (job: Job): Deal | undefined => {
    const last = job.deals.at(-1)
    const deal = last === undefined ? undefined : deals.get(last)
    return deal === undefined || isTerminal(deal.state) ? undefined : deal
  }

  /** Deals that still owe this node something: the open ones, and those that ended well while it was away. */
  const waitingForResult = (): Deal[] => deals.all().filter((deal) => !isTerminal(deal.state) ||
    ((deal.state === 'ResultsAccepted' || deal.state === 'MediationAccepted') && byDeal.get(deal.dealId)?.result === undefined))

  /** Whom the job's offer shall leave out at this moment. */
  const avoidNow = (job: Job): Address[] => {
    const avoid = job.avoid.filter((entry) => entry.untilMs === 0 || entry.untilMs > clock.now()).map((entry) => entry.provider)
    return [...new Set(avoid)].slice(-64)
  }

  /** Puts the job (back) into the book with what was learnt. */
  const publish = async (job: Job): Promise<void> => {
    const offer = { ...job.offer, avoid: avoidNow(job), validUntil: clock.now() + OFFER_VALID_MS }
    const record = await author.put('job', job.slot, offer)
    await save(job, (changed) => { changed.offer = offer; changed.offerId = record.id })
    await replica.publish(record)
  }

  const renewOffers = async (): Promise<void> => {
    for (const job of jobs.values()) {
      if (isJobOver(job) || activeDeal(job) !== undefined || negotiating.has(job.id)) continue
      if (job.offer.deadline < clock.now()) await giveUp(job, 'JOB_EXPIRED', 'the deadline passed before a provider finished the job')
      else if (job.offer.validUntil - clock.now() < OFFER_VALID_MS / 2 || !sameList(job.offer.avoid, avoidNow(job))) await publish(job)
    }
  }

  const giveUp = async (job: Job, code: string, message: string): Promise<void> => {
    await save(job, (changed) => { changed.state = 'TimedOut'; changed.problem = { code, message } })
    await replica.publish(await author.cancel(job.slot))
  }

  /** Tries the pairs of the best solutions in turn, within this epoch's consent phase. */
  const consent = async (job: Job, pairings: readonly Pairing[]): Promise<void> => {
    negotiating.add(job.id)
    try {
      const entry = replica.book.get(job.offerId)
      if (entry === undefined) return
      await save(job, (changed) => { changed.matchedAtMs = clock.now() })
      const record = encodeRecord(entry.record)
      const refused: Address[] = []
      for (const pairing of pairings) {
        if (isJobOver(job)) return
        if (refused.includes(pairing.offer.account)) continue
        try {
          const deal = await negotiation.negotiate(pairing, record, () => !isJobOver(job))
          byDeal.set(deal.dealId, job)
          await save(job, (changed) => { changed.deals = [...changed.deals, deal.dealId] })
          // The offer has found its deal: it leaves the book, the slot stays the job's.
          await replica.publish(await author.cancel(job.slot))
          return
        } catch (error) {
          if (isJobOver(job)) return
          logger.info('job.refused', { job: job.id, provider: pairing.offer.account, code: errorCode(error), error: errorMessage(error) })
          refused.push(pairing.offer.account)
          await save(job, (changed) => { changed.problem = { code: errorCode(error), message: errorMessage(error) } })
        }
      }
      await save(job, (changed) => { changed.avoid = [...changed.avoid, ...refused.map((provider) => ({ provider, untilMs: clock.now() + REFUSED_MS }))] })
      await publish(job)
    } finally {
      negotiating.delete(job.id)
    }
  }

  const onDecided = (decision: AuctionDecision): void => {
    for (const job of jobs.values()) {
      if (isJobOver(job) || activeDeal(job) !== undefined || negotiating.has(job.id)) continue
      const pairings = decision.pairingsOf(job.offerId)
      if (pairings.length > 0) void consent(job, pairings).catch((error: unknown) => { logger.error('job.consent', { job: job.id, error: errorMessage(error) }) })
    }
  }

  /** A deal of ours moved: the job follows, and goes back into the book when the deal ended without a result. */
  const onDeal = (deal: Deal): void => {
    const job = byDeal.get(deal.dealId)
    if (job === undefined || isJobOver(job) || job.deals.at(-1) !== deal.dealId) return
    void follow(job, deal).catch((error: unknown) => { logger.error('job.follow', { job: job.id, error: errorMessage(error) }) })
  }

  const follow = async (job: Job, deal: Deal): Promise<void> => {
    const failed: readonly DealState[] = ['MediationRejected', 'Refunded', 'TimedOut', 'Cancelled']
    if (!failed.includes(deal.state)) {
      if (job.state !== deal.state) {
        await save(job, (changed) => {
          changed.state = deal.state
          if (isTerminal(deal.state)) changed.settledAtMs = clock.now()
        })
      }
      return
    }
    if (job.offer.attempt !== deal.terms.core.attempt) return
    if (job.isNullified === true) {
      await save(job, (changed) => { changed.state = 'Cancelled' })
      return
    }
    const attempt = job.offer.attempt + 1
    logger.info('job.rematch', { job: job.id, dealId: deal.dealId, state: deal.state, attempt })
    await save(job, (changed) => {
      changed.avoid = [...changed.avoid, { provider: deal.terms.core.provider, untilMs: deal.state === 'MediationRejected' ? 0 : clock.now() + (deal.state === 'Cancelled' ? REFUSED_MS : FAILED_MS) }]
      changed.offer = { ...changed.offer, attempt: Math.min(attempt, MAX_ATTEMPTS - 1) }
      changed.state = 'DealNegotiating'
      delete changed.result
    })
    if (attempt >= MAX_ATTEMPTS) await giveUp(job, 'JOB_ATTEMPTS_USED', `all ${MAX_ATTEMPTS} attempts of the job failed`)
    else await publish(job)
  }

  const answers = createCreatorAnswers({ deals, chain, signer, clock, receive: receiver.receive })
  return {
    answers,
    submit: async (request) => {
      const parts = await prepareOffer({ ...components, manifests }, options, request)
      const need = worstCost(parts, options.rules, options.parameters)
      const { free } = await chain.account(signer.address)
      if (free < need) {
        throw new RoleError('JOB_UNFUNDED', `the job can cost ${need} nLILY and the vault account ${signer.address} has ${free} free`, { data: { need, free, account: signer.address }, hint: 'Deposit with "lilynode deposit AMOUNT", or lower --max-price.' })
      }
      const mediators = [...await options.mediatorList()].slice(0, 32)
      const jobNumber = await nextFreeNumber()
      const now = clock.now()
      const slot = options.firstSlot + jobNumber % JOB_SLOTS
      const id = dealIdOf(chain.domain, signer.address, jobNumber, 0)
      const offer = { ...parts, jobNumber, validUntil: now + OFFER_VALID_MS, deadline: now + OFFER_VALID_MS, mediators, avoid: [], attempt: 0, peer: components.mesh.peerId }
      const job: Job = { id, jobNumber, slot, offer, offerId: id, state: 'DealNegotiating', deals: [], avoid: [], createdAtMs: now, updatedAtMs: now }
      jobs.set(id, job)
      await publish(job)
      logger.info('job.submitted', { job: id, module: offer.moduleName, limit: offer.limit })
      return job
    },
    cancel: async (jobId) => {
      const job = jobs.get(jobId)
      if (job === undefined) throw new RoleError('JOB_UNKNOWN', `no job ${jobId} here`, { data: { job: jobId }, hint: 'List them with "lilynode jobs".' })
      if (isJobOver(job)) throw new RoleError('JOB_OVER', `job ${jobId} is already ${job.state}`, { data: { job: jobId, state: job.state } })
      // The deal may be so new that the job does not name it yet.
      const latest = deals.get(dealIdOf(chain.domain, signer.address, job.jobNumber, job.offer.attempt))
      const deal = latest === undefined || isTerminal(latest.state) ? undefined : latest
      const bound = (state: string): RoleError => new RoleError('JOB_BOUND', `job ${jobId} is ${state}: its deal is open and will end by itself`, { data: { job: jobId, state } })
      if (deal !== undefined && deal.state !== 'DealNegotiating') throw bound(deal.state)
      if (deal !== undefined) {
        // Consent may be out already: the nullifier on chain makes sure that nobody can open it any more, unless it was faster.
        await save(job, (changed) => { changed.isNullified = true })
        try {
          await chain.send(nullifyCall(chain, { creator: signer.address, jobNumber: job.jobNumber, signature: signer.sign(nullifyDigest(chain.domain, { jobNumber: job.jobNumber })) }), { name: 'nullify', signal: stopping.signal })
        } catch (error) {
          await save(job, (changed) => { changed.isNullified = false })
          throw error
        }
        const onChain = await chain.stateOf(deal.terms)
        if (onChain !== 'None') throw bound(`${onChain} on chain`)
      }
      // At once, before anything waits: a consent that is being negotiated looks at it before it signs.
      await save(job, (changed) => { changed.state = 'Cancelled' })
      await replica.publish(await author.cancel(job.slot))
      if (deal !== undefined) await deals.apply(deal, 'nullified')
      return job
    },
    job: (jobId) => jobs.get(jobId) ?? [...jobs.values()].find((job) => jobId.length >= 8 && job.id.startsWith(jobId)),
    jobs: () => [...jobs.values()],
    dealsOf: (job) => job.deals.map((id) => deals.get(id)).filter((deal) => deal !== undefined),
    onJob: (listener) => {
      listeners.add(listener)
      return () => { listeners.delete(listener) }
    },
    start: async () => {
      for (const job of await store.load()) jobs.set(job.id, job)
      for (const deal of deals.all()) {
        const job = jobs.get(dealIdOf(chain.domain, signer.address, deal.terms.core.jobNumber, 0))
        if (job === undefined) continue
        byDeal.set(deal.dealId, job)
        if (deal.state === 'DealNegotiating') void negotiation.send(deal)
        // The deal was journalled first: a crash in between must not let the job be matched twice.
        if (!job.deals.includes(deal.dealId)) await save(job, (changed) => { changed.deals = [...changed.deals, deal.dealId] })
      }
      stops.push(deals.onUpdate(onDeal), components.auction.onDecided(onDecided))
      for (const job of jobs.values()) {
        const last = job.deals.at(-1)
        const deal = last === undefined ? undefined : deals.get(last)
        if (isJobOver(job)) continue
        if (deal !== undefined) await follow(job, deal)
        else await publish(job)
      }
      await watch.start()
    },
    stop: async () => {
      for (const stop of stops) stop()
      stopping.abort(new Error('the node is stopping'))
      await watch.stop()
      await receiver.idle()
    }
  }

  /** Skips numbers that the chain has seen: a restored disk must not reuse one. */
  async function nextFreeNumber (): Promise<number> {
    let number = await store.nextNumber(0)
    while (await chain.isNullified(signer.address, number, 0)) number = await store.nextNumber(number + 1)
    return number
  }
}

/** Slots that jobs of one account rotate through; below the account's quota. */
const JOB_SLOTS = 4096

function sameList (a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index])
}
