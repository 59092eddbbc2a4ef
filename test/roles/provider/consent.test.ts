import t from 'tap'
import { createManualClock } from '../../../src/core/clock.ts'
import { createJournal } from '../../../src/deal/journal.ts'
import { DEFAULT_DEAL_PARAMETERS } from '../../../src/deal/options.ts'
import { DEFAULT_MATCH_RULES } from '../../../src/match/options.ts'
import { openDealBook, type DealBook } from '../../../src/roles/deal-book.ts'
import { createCapacityLedger } from '../../../src/roles/provider/capacity.ts'
import { createProviderConsent, type ConsentComponents } from '../../../src/roles/provider/consent.ts'
import { hash, jobOffer } from '../../deal/deals.ts'
import { createMemoryDatastore } from '../../support/memory-datastore.ts'
import { DOMAIN, offerBody, signRecord, testSigner } from '../../support/records.ts'

const [creator, provider, solver] = [testSigner(1), testSigner(2), testSigner(3)]
const job = jobOffer()
const proposal = { type: 'propose' as const, epoch: 1, evidence: new Uint8Array(0), jobOfferId: hash(1), resourceOfferId: hash(2), creatorSaltHash: hash(4), fee: DEFAULT_MATCH_RULES.minFee, certificates: [], proofs: [] }

/** A provider's consent to one pair that fits; `account` is called while it waits for the chain. */
async function setUp (change: { account?: () => void, price?: number } = {}): Promise<{ propose: (change?: Partial<typeof proposal>) => Promise<unknown>, deals: DealBook, policy: { open: boolean } }> {
  const policy = { open: true }
  const deals = await openDealBook({ journal: createJournal({ datastore: createMemoryDatastore() }, { role: 'provider' }), clock: createManualClock() })
  const offer = offerBody({ ask: DEFAULT_MATCH_RULES.reference })
  const components = {
    auction: { prices: { adopt: () => undefined, setFor: () => [], priceFor: () => change.price ?? 1000 }, checkPair: () => ({ job: { offer: job, account: creator.address }, offer: { offer, account: provider.address }, solver: solver.address, solutionId: hash(3) }) },
    deals, ledger: createCapacityLedger({ cpuMilli: 4000, memoryMiB: 4000, diskMiB: 4000 }, [{ name: 'a', share: 1 }]),
    offers: { unitOf: () => 'a', refresh: () => undefined }, policy: { isOpen: () => policy.open },
    replica: { book: { get: () => ({ record: signRecord(creator, 'job', { body: job }) }) } },
    chain: { domain: DOMAIN, account: async () => { change.account?.(); return { free: Number.MAX_SAFE_INTEGER } } }, signer: provider, clock: createManualClock()
  }
  const { propose } = createProviderConsent(components as unknown as ConsentComponents, { rules: DEFAULT_MATCH_RULES, parameters: DEFAULT_DEAL_PARAMETERS, parametersHash: hash(6), saltSecret: hash(7), mediators: async () => new Map() })
  return { propose: async (change) => await propose({ ...proposal, ...change }, 'peer'), deals, policy }
}

t.test('a closed provider signs no new terms, and repeats those that it signed before', async (t) => {
  const { propose, deals, policy } = await setUp()
  policy.open = false
  await t.rejects(propose(), { code: 'DEAL_CORDONED' })
  t.equal(deals.all().length, 0)
  policy.open = true
  const terms = await propose()
  t.match(terms, { terms: { core: { provider: provider.address } } })
  policy.open = false
  t.same(await propose(), terms)
})

t.test('a provider that is closed while it looks at the chain does not sign either', async (t) => {
  const { propose, deals, policy } = await setUp({ account: () => { policy.open = false } })
  await t.rejects(propose(), { code: 'DEAL_CORDONED' })
  t.equal(deals.all().length, 0)
})

t.test('any fee of the solver from the least to the network\'s share of the price is taken, and stands in the terms', async (t) => {
  const { minFee } = DEFAULT_MATCH_RULES
  // At a price of 100,000,000 the share is 2,000,000.
  for (const fee of [minFee - 1, 2_000_001]) await t.rejects((await setUp({ price: 100_000_000 })).propose({ fee }), { code: 'DEAL_FEE' })
  for (const fee of [minFee, 2_000_000]) t.match(await (await setUp({ price: 100_000_000 })).propose({ fee }), { terms: { core: { fee } } })
  const { propose } = await setUp({ price: 100_000_000 })
  await propose()
  await t.rejects(propose({ fee: minFee + 1 }), { code: 'DEAL_EXISTS' }, 'no second terms for another fee')
})
