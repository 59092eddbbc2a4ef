import t from 'tap'
import type { Deal } from '../../src/deal/deal.ts'
import { createJournal } from '../../src/deal/journal.ts'
import { createManualClock } from '../../src/core/clock.ts'
import { buildTerms } from '../../src/deal/terms.ts'
import { DEVNET_DEAL_PARAMETERS } from '../../src/deal/options.ts'
import { openDealBook } from '../../src/roles/deal-book.ts'
import { createMemoryDatastore } from '../support/memory-datastore.ts'
import { address, hash, jobOffer, PEER } from './deals.ts'

const terms = buildTerms({
  job: jobOffer(), creator: address(1), jobOfferId: hash(1), provider: address(2), resourceOfferId: hash(2), solver: address(3), solutionId: hash(3),
  price: 100, fee: 5, collateral: 250, mediators: { mediators: [], weights: [] }, parameters: DEVNET_DEAL_PARAMETERS, parametersHash: hash(9), certificateSet: hash(0), lines: [],
  lane: 4, openBy: 1000, providerSaltHash: hash(7), creatorSaltHash: hash(8)
})
const deal = (id: number): Deal => ({
  dealId: hash(id), role: 'provider', state: 'DealNegotiating', epoch: 1, terms, mediators: { mediators: [], weights: [] }, jobRecord: Uint8Array.from([1, 2, 3]), devices: [],
  peer: PEER, ownSalt: hash(5), transactions: [], updatedAtMs: id
})

t.test('a deal is on disk when add and apply resolve, and comes back as it was', async (t) => {
  const datastore = createMemoryDatastore()
  const clock = createManualClock()
  const deals = await openDealBook({ journal: createJournal({ datastore }, { role: 'provider' }), clock })
  const first = deal(1)
  await deals.add(first)
  await deals.apply(first, 'opened', (changed) => { changed.openedAt = 5 })
  const again = await openDealBook({ journal: createJournal({ datastore }, { role: 'provider' }), clock })
  t.same(again.get(hash(1)), first)
  t.equal(again.get(hash(1))?.state, 'DealAgreed')
  t.same((await openDealBook({ journal: createJournal({ datastore }, { role: 'creator' }), clock })).all(), [], 'the other role has its own')
})

t.test('a deal is not held when it could not be written', async (t) => {
  const failing = Object.assign(createMemoryDatastore(), { put: async () => { throw new Error('disk full') } })
  const deals = await openDealBook({ journal: createJournal({ datastore: failing }, { role: 'provider' }), clock: createManualClock() })
  await t.rejects(deals.add(deal(1)), /disk full/)
  t.same(deals.all(), [])
})

t.test('an event seen twice changes nothing the second time', async (t) => {
  const deals = await openDealBook({ journal: createJournal({ datastore: createMemoryDatastore() }, { role: 'provider' }), clock: createManualClock() })
  const one = deal(1)
  await deals.add(one)
  t.equal(await deals.apply(one, 'opened'), true)
  t.equal(await deals.apply(one, 'settled'), true)
  t.equal(await deals.apply(one, 'settled'), false)
  t.same(deals.open(), [])
})
