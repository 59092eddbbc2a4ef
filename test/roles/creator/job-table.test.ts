import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { createAuthor } from '../../../src/book/author.ts'
import type { BookReplica } from '../../../src/book/replica.ts'
import { createManualClock } from '../../../src/core/clock.ts'
import { silentLogger as logger } from '../../../src/core/logger.ts'
import type { Deal } from '../../../src/deal/deal.ts'
import { createJournal } from '../../../src/deal/journal.ts'
import { buildTerms } from '../../../src/deal/terms.ts'
import { DEVNET_DEAL_PARAMETERS } from '../../../src/deal/options.ts'
import type { Pairing } from '../../../src/roles/decision.ts'
import { openDealBook } from '../../../src/roles/deal-book.ts'
import { createFollower } from '../../../src/roles/creator/follow.ts'
import { createJobStore, type Job } from '../../../src/roles/creator/job.ts'
import { createJobTable } from '../../../src/roles/creator/job-table.ts'
import { createListing } from '../../../src/roles/creator/listing.ts'
import { createMatched } from '../../../src/roles/creator/matched.ts'
import { jobOfferShape } from '../../../src/wire/job-offer.ts'
import { decodeBody, type SignedRecord } from '../../../src/wire/record.ts'
import { createMemoryDatastore } from '../../support/memory-datastore.ts'
import { DOMAIN, testSigner } from '../../support/records.ts'
import { address, hash, jobOffer, PEER } from '../../deal/deals.ts'

const HOUR = 3_600_000

/** The creator's parts around one job, with the negotiation scripted: `refuse` names the providers that say no. */
async function setUp (refuse: number[] = []) {
  const clock = createManualClock()
  const datastore = createMemoryDatastore()
  const signer = testSigner(1)
  const deals = await openDealBook({ journal: createJournal({ datastore }, { role: 'creator' }), clock })
  const author = createAuthor({ signer, datastore, clock }, { domain: DOMAIN })
  await author.start()
  const published: SignedRecord[] = []
  const replica = {
    publish: async (record: SignedRecord) => { published.push(record) },
    book: { get: (id: string) => { const record = published.find((each) => each.id === id); return record === undefined ? undefined : { record } } }
  } as unknown as BookReplica
  const table = createJobTable({ jobs: createJobStore({ datastore, clock }), deals, clock })
  const listing = createListing({ table, author, replica, clock })
  const asked: number[] = []
  const negotiation = {
    negotiate: async (pairing: Pairing) => {
      const provider = Number.parseInt(pairing.offer.account.slice(2, 4), 16)
      asked.push(provider)
      if (refuse.includes(provider)) throw new Error('busy')
      const deal = dealWith(job, provider)
      await deals.add(deal)
      return deal
    },
    send: async () => { await Promise.resolve() }
  }
  const matched = createMatched({ table, listing, negotiation, replica, clock, logger })
  const follower = createFollower({ table, listing, clock, logger })
  const now = clock.now()
  const job: Job = { id: hash(1), jobNumber: 7, slot: 7, offer: jobOffer({ deadline: now + HOUR }), offerId: hash(1), state: 'DealNegotiating', deals: [], avoid: [], createdAtMs: now, updatedAtMs: now }
  table.add(job)
  await listing.publish(job)
  const dealWith = (of: Job, provider: number): Deal => {
    const terms = buildTerms({ job: of.offer, creator: signer.address, jobOfferId: of.offerId, provider: address(provider), resourceOfferId: hash(2), solver: address(3), solutionId: hash(3), price: 100, fee: 5, collateral: 250,
      mediators: { mediators: [], weights: [] }, parameters: DEVNET_DEAL_PARAMETERS, parametersHash: hash(9), certificateSet: hash(0), lines: [], lane: 0, openBy: 1000, providerSaltHash: hash(7), creatorSaltHash: hash(8) })
    return { dealId: hash(100 + of.offer.attempt), role: 'creator', state: 'DealNegotiating', epoch: 1, terms, mediators: { mediators: [], weights: [] }, jobRecord: Uint8Array.of(1), devices: [], peer: PEER, ownSalt: hash(5), transactions: [], updatedAtMs: 0 }
  }
  /** An auction that pairs the job with these providers, best first; resolves when the job was negotiated. */
  const decide = async (...providers: number[]): Promise<void> => {
    const pairings = providers.map((provider) => ({ offer: { account: address(provider) } }) as unknown as Pairing)
    const before = published.length
    matched.onDecided({ epoch: 1, ranking: [], feeOf: () => 0, pairingsOf: (id) => id === job.offerId ? pairings : [] })
    t.equal(matched.isWaiting(job), false, 'a job that is being negotiated is not matched a second time')
    while (published.length === before || !(matched.isWaiting(job) || table.activeDeal(job) !== undefined)) await nextTurn()
  }
  const inBook = (): ReturnType<typeof jobOffer> | undefined => {
    const last = published.at(-1)
    return last?.kind === 'job' ? decodeBody(jobOfferShape, last) : undefined
  }
  const end = async (event: 'opened' | 'refunded' | 'settled'): Promise<void> => {
    const deal = table.activeDeal(job) as Deal
    await deals.apply(deal, event)
    await follower.follow(job, deal)
  }
  return { clock, table, listing, job, asked, decide, inBook, end, reload: async () => { const other = createJobTable({ jobs: createJobStore({ datastore, clock }), deals, clock }); await other.load(); return other.find(job.id) } }
}

t.test('a matched job makes one deal and leaves the book; who refused is passed over', async (t) => {
  const { job, asked, decide, inBook, table, reload } = await setUp([1])
  t.equal(inBook()?.jobNumber, 7)
  await decide(1, 1, 2, 3)
  t.same(asked, [1, 2], 'one that refused is not asked again, and nobody after a deal')
  t.equal(table.activeDeal(job)?.terms.core.provider, address(2))
  t.equal(inBook(), undefined)
  t.same((await reload())?.deals, job.deals, 'on disk')
})

t.test('a job that everybody refused is offered again without them, for a while', async (t) => {
  const { job, decide, inBook, clock, listing } = await setUp([1, 2])
  await decide(1, 2)
  t.same(inBook()?.avoid, [address(1), address(2)])
  t.match(job.problem, { message: 'busy' })
  clock.advance(20_001)
  await listing.renew(job)
  t.same(inBook()?.avoid, [])
})

t.test('a deal that failed puts the job back as its next attempt, without that provider', async (t) => {
  const { job, decide, inBook, end, clock, listing } = await setUp()
  await decide(1)
  await end('opened')
  await end('refunded')
  t.match(inBook(), { attempt: 1, avoid: [address(1)] })
  t.equal(job.state, 'DealNegotiating')
  clock.advance(300_001)
  await listing.renew(job)
  t.match(inBook(), { attempt: 1, avoid: [] }, 'it may have been restarted since')
})

t.test('a job ends when its deal is paid, when its attempts are used up, or when its deadline passed', async (t) => {
  const paid = await setUp()
  await paid.decide(1)
  await paid.end('opened')
  await paid.end('settled')
  t.match(await paid.reload(), { state: 'ResultsAccepted', settledAtMs: Number })

  const unlucky = await setUp()
  for (let attempt = 0; attempt < 8; attempt++) {
    await unlucky.decide(attempt + 1)
    await unlucky.end('opened')
    await unlucky.end('refunded')
  }
  t.match(unlucky.job, { state: 'TimedOut', problem: { code: 'JOB_ATTEMPTS_USED' }, offer: { attempt: 7 } })
  t.equal(unlucky.inBook(), undefined)

  const late = await setUp()
  late.clock.advance(HOUR + 1)
  await late.listing.renew(late.job)
  t.match(late.job, { state: 'TimedOut', problem: { code: 'JOB_EXPIRED' } })
  t.equal(late.inBook(), undefined)
})

t.test('a job is found by its id or by a prefix of 8 characters that only it has', async (t) => {
  const { table, job } = await setUp()
  t.equal(table.find(job.id), job)
  t.equal(table.find(job.id.slice(0, 8)), job)
  t.equal(table.find(job.id.slice(0, 7)), undefined)
  table.add({ ...job, id: `${job.id.slice(0, 60)}beef02` as Job['id'] })
  t.equal(table.find(job.id.slice(0, 20)), undefined, 'two have it')
})
