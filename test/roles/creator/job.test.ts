import t from 'tap'
import { createManualClock } from '../../../src/core/clock.ts'
import { createJobStore, isJobOver, type Job } from '../../../src/roles/creator/job.ts'
import { createMemoryDatastore } from '../../support/memory-datastore.ts'
import { hash, jobOffer } from '../../deal/deals.ts'

const clock = createManualClock(1_800_000_000_000)
const FIRST = 1_800_000_000 * 32
const job = (jobNumber: number, change: Partial<Job> = {}): Job => ({ id: hash(jobNumber), jobNumber, slot: 1, offer: jobOffer(), offerId: hash(1), state: 'DealNegotiating', deals: [], avoid: [], createdAtMs: 0, updatedAtMs: 0, ...change })

t.test('a job number is given out once, over restarts and concurrent calls', async (t) => {
  const datastore = createMemoryDatastore()
  const store = createJobStore({ datastore, clock })
  const numbers = await Promise.all(Array.from({ length: 20 }, () => store.nextNumber(0)))
  t.same([...numbers].sort((a, b) => a - b), Array.from({ length: 20 }, (_, index) => FIRST + index))
  clock.advance(60_000)
  t.equal(await createJobStore({ datastore, clock }).nextNumber(0), FIRST + 20)
  t.equal(await createJobStore({ datastore, clock }).nextNumber(FIRST + 100), FIRST + 100, 'the chain knows better than a restored disk')
  t.equal(await createJobStore({ datastore, clock }).nextNumber(0), FIRST + 101)
})

t.test('a fresh disk of the same account gives out other numbers, from the start of a nullifier word', async (t) => {
  const [before, after] = [createManualClock(1_800_000_000_000), createManualClock(1_800_000_001_000)]
  const one = createJobStore({ datastore: createMemoryDatastore(), clock: before })
  const other = createJobStore({ datastore: createMemoryDatastore(), clock: after })
  const numbers = await Promise.all(Array.from({ length: 32 }, () => one.nextNumber(0)))
  const next = await other.nextNumber(0)
  t.notOk(numbers.includes(next))
  t.equal(next % 32, 0)
})

t.test('jobs come back in order, as they were', async (t) => {
  const datastore = createMemoryDatastore()
  const store = createJobStore({ datastore, clock })
  await store.save(job(10))
  await store.save(job(9, { problem: { code: 'X', message: 'y' } }))
  t.same(await createJobStore({ datastore, clock }).load(), [job(9, { problem: { code: 'X', message: 'y' } }), job(10)])
})

t.test('a job is over when it is paid for, cancelled or given up, not when one deal failed', (t) => {
  for (const state of ['Cancelled', 'ResultsAccepted', 'MediationAccepted'] as const) t.equal(isJobOver(job(1, { state })), true, state)
  for (const state of ['DealNegotiating', 'Running', 'TimedOut', 'Refunded', 'MediationRejected'] as const) t.equal(isJobOver(job(1, { state })), false, state)
  t.end()
})
