import t from 'tap'
import { createManualClock } from '../../../src/core/clock.ts'
import { createJournal } from '../../../src/deal/journal.ts'
import { DEFAULT_DEAL_PARAMETERS } from '../../../src/deal/options.ts'
import type { PricedPair } from '../../../src/match/class-price.ts'
import { DEFAULT_MATCH_RULES } from '../../../src/match/options.ts'
import { priceFor } from '../../../src/match/price.ts'
import { openDealBook, type DealBook } from '../../../src/roles/deal-book.ts'
import { createCapacityLedger, type CapacityLedger } from '../../../src/roles/provider/capacity.ts'
import { createProviderConsent, type ConsentComponents } from '../../../src/roles/provider/consent.ts'
import type { JobOffer } from '../../../src/wire/job-offer.ts'
import { hash, jobOffer } from '../../deal/deals.ts'
import { createMemoryDatastore } from '../../support/memory-datastore.ts'
import { DOMAIN, offerBody, signRecord, testSigner } from '../../support/records.ts'

const GPU = { model: 'a100', vramMiB: 40_960, shareBp: 10_000, secondAsk: 9_000_000 }
const [creator, provider, solver] = [testSigner(1), testSigner(2), testSigner(3)]
const job = jobOffer()
const proposal = { type: 'propose' as const, epoch: 1, evidence: new Uint8Array(0), jobOfferId: hash(1), resourceOfferId: hash(2), version: hash(0), batched: false, creatorSaltHash: hash(4), fee: DEFAULT_MATCH_RULES.minFee, certificates: [], proofs: [] }

/** A provider's consent to one pair that fits; `account` is called while it waits for the chain. */
async function setUp (change: { account?: () => void, price?: number, job?: Partial<JobOffer>, devices?: number[] } = {}): Promise<{ propose: (attempt?: number, more?: Partial<typeof proposal>) => Promise<unknown>, deals: DealBook, ledger: CapacityLedger, policy: { open: boolean } }> {
  const policy = { open: true }
  const deals = await openDealBook({ journal: createJournal({ datastore: createMemoryDatastore() }, { role: 'provider' }), clock: createManualClock() })
  const offer = offerBody({ ask: { base: 1_000_000, cpuMilliSecond: 1000, memoryMiBSecond: 100, diskMiBSecond: 2 }, gpus: [GPU, GPU] })
  const ledger = createCapacityLedger({ cpuMilli: 4000, memoryMiB: 4000, diskMiB: 4000 }, [{ name: 'a', share: 1, gpus: [GPU, GPU] }])
  let attempt = 0
  const prices = { adopt: () => undefined, setFor: () => [], priceFor: (_epoch: number, pair: PricedPair) => change.price ?? priceFor(pair.job.offer, pair.offer.offer, DEFAULT_MATCH_RULES, pair.devices) }
  const components = {
    auction: { prices, checkPair: () => ({ pairing: { job: { offer: { ...job, ...change.job, attempt }, account: creator.address }, offer: { offer, account: provider.address }, devices: change.devices ?? [], solver: solver.address, solutionId: hash(3) } }) },
    deals, ledger, path: { covers: async () => false },
    offers: { unitOf: () => 'a' }, policy: { isOpen: () => policy.open },
    replica: { book: { get: () => ({ record: signRecord(creator, 'job', { body: job }) }) } },
    chain: { domain: DOMAIN, account: async () => { change.account?.(); return { free: Number.MAX_SAFE_INTEGER } }, moduleVersion: async () => undefined }, signer: provider, clock: createManualClock()
  }
  const { propose } = createProviderConsent(components as unknown as ConsentComponents, { rules: DEFAULT_MATCH_RULES, parameters: DEFAULT_DEAL_PARAMETERS, parametersHash: hash(6), saltSecret: hash(7), mediators: async () => new Map() })
  return { propose: async (number = 0, more = {}) => { attempt = number; return await propose({ ...proposal, ...more }, 'peer') }, deals, ledger, policy }
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
  for (const fee of [minFee - 1, 2_000_001]) await t.rejects((await setUp({ price: 100_000_000 })).propose(0, { fee }), { code: 'DEAL_FEE' })
  for (const fee of [minFee, 2_000_000]) t.match(await (await setUp({ price: 100_000_000 })).propose(0, { fee }), { terms: { core: { fee } } })
  const { propose } = await setUp({ price: 100_000_000 })
  await propose()
  await t.rejects(propose(0, { fee: minFee + 1 }), { code: 'DEAL_EXISTS' }, 'no second terms for another fee')
})

t.test('a deal holds the devices that its match names, and its price counts their shares', async (t) => {
  const gpus = [{ models: [], vramMiB: 0, shareBp: 6000 }]
  const { propose, deals, ledger } = await setUp({ job: { gpus, limit: 10 ** 12 }, devices: [1] })
  const { propose: plain } = await setUp({ job: { limit: 10 ** 12 } })
  const [terms, other] = [await propose(), await plain()] as Array<{ terms: { core: { price: number } } }>
  t.same(ledger.gpus('a').map(({ shareBp }) => shareBp), [10_000, 4000])
  t.same(deals.all()[0]?.devices, [1], 'journalled: a restarted provider holds them again')
  // An A100 has the reference price 95,000,000 a second, which the ask is below.
  t.equal((terms?.terms.core.price ?? 0) - (other?.terms.core.price ?? 0), Math.ceil(job.runSeconds * 6000 * 95_000_000 / 10_000))
  await t.rejects(propose(1), { code: 'DEAL_NO_CAPACITY' }, 'the device has 4,000 left')
})

t.test('a job with replicas gets no terms yet', async (t) => {
  const { propose, deals } = await setUp({ job: { verification: { strategy: 'replicate', replicas: 2, quorum: 2 } } })
  await t.rejects(propose(), { code: 'DEAL_REPLICAS_UNSERVED' })
  t.equal(deals.all().length, 0)
})
