import t from 'tap'
import { createJobStore, isJobOver, type Job } from '../../../src/roles/creator/job.ts'
import { createMemoryDatastore } from '../../support/memory-datastore.ts'
import { hash, jobOffer } from '../../deal/deals.ts'

const job = (jobNumber: number, change: Partial<Job> = {}): Job => ({ id: hash(jobNumber), jobNumber, slot: 1, offer: jobOffer(), offerId: hash(1), state: 'DealNegotiating', deals: [], avoid: [], createdAtMs: 0, updatedAtMs: 0, ...change })

t.test('a job number is given out once, over restarts and concurrent calls', async (t) => {
  const datastore = createMemoryDatastore()
  const store = createJobStore({ datastore })
  const numbers = await Promise.all(Array.from({ length: 20 }, () => store.nextNumber(0)))
  t.same([...numbers].sort((a, b) => a - b), Array.from({ length: 20 }, (_, index) => index))
  t.equal(await createJobStore({ datastore }).nextNumber(0), 20)
  t.equal(await createJobStore({ datastore }).nextNumber(100), 100, 'the chain knows better than a restored disk')
  t.equal(await createJobStore({ datastore }).nextNumber(0), 101)
})

t.test('jobs come back in order, as they were', async (t) => {
  const datastore = createMemoryDatastore()
  const store = createJobStore({ datastore })
  await store.save(job(10))
  await store.save(job(9, { problem: { code: 'X', message: 'y' } }))
  t.same(await createJobStore({ datastore }).load(), [job(9, { problem: { code: 'X', message: 'y' } }), job(10)])
})

t.test('a job is over when it is paid for, cancelled or given up, not when one deal failed', (t) => {
  for (const state of ['Cancelled', 'ResultsAccepted', 'MediationAccepted'] as const) t.equal(isJobOver(job(1, { state })), true, state)
  for (const state of ['DealNegotiating', 'Running', 'TimedOut', 'Refunded', 'MediationRejected'] as const) t.equal(isJobOver(job(1, { state })), false, state)
  t.end()
})
