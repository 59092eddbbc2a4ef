import t from 'tap'
import type { Chain } from '../../../src/chain/chain.ts'
import { createManualClock } from '../../../src/core/clock.ts'
import { createOwnBatch, type GatheredDeal } from '../../../src/roles/batch/own-batch.ts'
import { createOwnBatches } from '../../../src/roles/batch/own-batches.ts'
import { createOwnStore } from '../../../src/roles/batch/own-store.ts'
import { BATCHED_LANE } from '../../../src/wire/deal-terms.ts'
import { namedSigner } from '../../support/chain.ts'
import { signDeal } from '../../support/deals.ts'
import { createMemoryDatastore } from '../../support/memory-datastore.ts'
import { DOMAIN } from '../../support/records.ts'
import { hash } from '../../deal/deals.ts'

const [creator, provider, solver] = ['creator', 'provider', 'solver'].map(namedSigner)
const UNBOND_SECONDS = 8000
const OPEN_BY = 1000

t.test('a slot is kept while a promise whose leaf was void in it can be accused of and answered for, others only for re-orgs', async (t) => {
  if (creator === undefined || provider === undefined || solver === undefined) return
  const clock = createManualClock()
  const chain = { address: solver.address, deployment: { parameters: { unbondSeconds: UNBOND_SECONDS } } } as unknown as Chain
  const own = createOwnBatches({ chain, clock, store: createOwnStore({ datastore: createMemoryDatastore() }, { domain: DOMAIN }) })
  const deal = (jobNumber: number): GatheredDeal => ({ ...signDeal({ domain: DOMAIN, creator, provider, now: 0, jobNumber, feeTo: solver.address, core: { lane: BATCHED_LANE, openBy: OPEN_BY } }).consent, creatorPeer: 'a', providerPeer: 'b' })
  const place = (slot: number, voided: bigint): void => {
    const batch = createOwnBatch({ domain: DOMAIN, batches: solver.address, solver: solver.address }, { slot, expiry: 2000, deals: [deal(32 * slot + 1), deal(32 * slot + 2)] })
    own.restore(batch)
    batch.put({ id: hash(slot + 1), committedAt: 900, voided: `0x${voided.toString(16).padStart(64, '0')}` })
    batch.resolve(3n)
  }
  place(0, 2n)
  for (let slot = 1; slot < 40; slot++) place(slot, 0n)
  await own.sweep(OPEN_BY)
  t.same([own.has(0), own.all().length], [true, 33], 'the last 32, and it')
  clock.advance(600_001)
  await own.sweep(OPEN_BY + UNBOND_SECONDS * 3 / 8)
  t.same([own.has(0), own.all().length], [true, 1])
  await own.sweep(OPEN_BY + UNBOND_SECONDS * 3 / 8 + 1)
  t.notOk(own.has(0))
})
