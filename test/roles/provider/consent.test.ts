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
const proposal = { type: 'propose' as const, epoch: 1, evidence: new Uint8Array(0), jobOfferId: hash(1), resourceOfferId: hash(2), creatorSaltHash: hash(4) }

/** A provider's consent to one pair that fits; `account` is called while it waits for the chain. */
async function setUp (change: { account?: () => void } = {}): Promise<{ propose: () => Promise<unknown>, deals: DealBook, policy: { open: boolean } }> {
  const policy = { open: true }
  const deals = await openDealBook({ journal: createJournal({ datastore: createMemoryDatastore() }, { role: 'provider' }), clock: createManualClock() })
  const offer = offerBody({ ask: { base: 1_000_000, cpuMilliSecond: 1000, memoryMiBSecond: 100, diskMiBSecond: 2 } })
  const components = {
    auction: { checkPair: () => ({ job: { offer: job, account: creator.address }, offer: { offer, account: provider.address }, devices: [], solver: solver.address, solutionId: hash(3) }) },
    deals, ledger: createCapacityLedger({ cpuMilli: 4000, memoryMiB: 4000, diskMiB: 4000 }, [{ name: 'a', share: 1 }]),
    offers: { unitOf: () => 'a', refresh: () => undefined }, policy: { isOpen: () => policy.open },
    replica: { book: { get: () => ({ record: signRecord(creator, 'job', { body: job }) }) } },
    chain: { domain: DOMAIN, account: async () => { change.account?.(); return { free: Number.MAX_SAFE_INTEGER } } }, signer: provider, clock: createManualClock()
  }
  const { propose } = createProviderConsent(components as unknown as ConsentComponents, { rules: DEFAULT_MATCH_RULES, parameters: DEFAULT_DEAL_PARAMETERS, parametersHash: hash(6), saltSecret: hash(7), mediators: async () => new Map() })
  return { propose: async () => await propose(proposal, 'peer'), deals, policy }
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
