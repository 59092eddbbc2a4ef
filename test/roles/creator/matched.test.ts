import t from 'tap'
import { createManualClock } from '../../../src/core/clock.ts'
import { silentLogger } from '../../../src/core/logger.ts'
import { DealError } from '../../../src/deal/errors.ts'
import { RoleError } from '../../../src/roles/errors.ts'
import type { AuctionDecision, Pairing } from '../../../src/roles/decision.ts'
import type { Job } from '../../../src/roles/creator/job.ts'
import { createMatched, REFUSED_MS } from '../../../src/roles/creator/matched.ts'
import { jobBody, offerBody, signRecord, T0, testSigner } from '../../support/records.ts'

const record = signRecord(testSigner(1), 'job')
const provider = testSigner(2).address

/** A job that an auction matched with one provider, whose answer is `error`. Resolves when the creator is done with it. */
async function decide (error: Error): Promise<{ job: Job, published: number, tried: number }> {
  const clock = createManualClock(T0)
  const job: Job = { id: record.id, jobNumber: 1, slot: 0, offer: jobBody(), offerId: record.id, state: 'DealNegotiating', deals: [], avoid: [], createdAtMs: T0, updatedAtMs: T0 }
  let published = 0
  let tried = 0
  const matched = createMatched({
    table: { all: () => [job], activeDeal: () => undefined, save: async (_job: Job, change: (job: Job) => void) => { change(job) }, bind: () => undefined },
    listing: { publish: async () => { published++ } },
    negotiation: { negotiate: async () => { tried++; throw error } },
    replica: { book: { get: () => ({ record, firstSeenMs: T0 }) } },
    clock, logger: silentLogger
  } as unknown as Parameters<typeof createMatched>[0])
  const pairing = { epoch: 1, offer: { id: record.id, account: provider, offer: offerBody() } } as unknown as Pairing
  matched.onDecided({ epoch: 1, ranking: [], pairingsOf: () => [pairing], feeOf: () => 0 } satisfies AuctionDecision)
  while (!matched.isWaiting(job)) await new Promise((resolve) => { setImmediate(resolve) })
  return { job, published, tried }
}

t.test('a provider that refuses is left alone for a while, and the offer says so', async (t) => {
  const { job, published } = await decide(new DealError('DEAL_NO_CAPACITY', 'full'))
  t.same(job.avoid, [{ provider, untilMs: T0 + REFUSED_MS }])
  t.equal(published, 1)
  t.match(job.problem, { code: 'DEAL_NO_CAPACITY' })
})

t.test('a pair that comes too late is not the provider\'s refusal: the offer stands as it was', async (t) => {
  for (const code of ['AUCTION_LATE', 'AUCTION_EPOCH', 'AUCTION_EARLY']) {
    const { job, published, tried } = await decide(new RoleError(code, 'the consent phase is over'))
    t.same({ avoid: job.avoid, published, tried }, { avoid: [], published: 0, tried: 1 }, code)
    t.match(job.problem, { code })
  }
})
