import t, { type Test } from 'tap'
import type { Engine } from '../../src/match/engine.ts'
import type { Job } from '../../src/roles/creator/job.ts'
import { createDealRoom } from '../../src/roles/deal-room.ts'
import { certificateIdOf, certificateSetOf, decodeEvidence, encodeEvidence, type AuctionCommit, type AuctionReveal, type Evidence } from '../../src/wire/auction.ts'
import { OPEN_PROTOCOL, type BetterAnswer } from '../../src/wire/deal-room.ts'
import type { Address, Hash } from '../../src/wire/shapes.ts'
import { hash } from '../deal/deals.ts'
import { matching, openMarket, type TestMarket } from '../support/market.ts'

/** Cheap and dear providers, a solver for each: the cheap one's solution is the better. Time stands at an epoch's start. */
async function setUp (t: Pick<Test, 'teardown'>, providers: string[] = ['provider-1', 'provider-2'], before: (market: TestMarket) => void = () => undefined): Promise<TestMarket> {
  const market = await openMarket()
  t.teardown(market.stop)
  await market.add('provider-1', { askPercent: 80 })
  if (providers.length > 1) await market.add('provider-2', { askPercent: 90 })
  await market.add('solver-1', { engine: matching(() => market.member('provider-1').account) })
  await market.add('solver-2', { engine: matching(() => market.member(providers.at(-1) as string).account) })
  await market.add('bystander')
  await market.add('creator')
  market.connectAll()
  before(market)
  await market.boundary()
  return market
}
/** One provider for two creators' jobs; the better solution serves both, the other one only the first's. */
async function setUpShared (t: Pick<Test, 'teardown'>, before: (market: TestMarket) => void = () => undefined): Promise<TestMarket> {
  const market = await openMarket()
  t.teardown(market.stop)
  await market.add('provider-1', { askPercent: 80 })
  const both = matching(() => market.member('provider-1').account)
  await market.add('solver-1', { engine: both })
  await market.add('solver-2', { engine: { name: 'one', solve: async (snapshot, budget) => await both.solve({ ...snapshot, jobs: snapshot.jobs.filter(({ account }) => account === market.member('creator').account) }, budget) } })
  await market.add('bystander')
  await market.add('creator')
  await market.add('creator-2')
  market.connectAll()
  before(market)
  await market.boundary()
  return market
}
const jobOf = (market: TestMarket): Job => market.member('creator').client?.jobs()[0] as Job
const account = (market: TestMarket, name: string): string => market.member(name).account
/** Solvers that a member ranked in an epoch. */
const ranked = (market: TestMarket, name: string, epoch: number): string[] => market.member(name).auction.decision(epoch)?.ranking.map(({ solver }) => [...market.members.values()].find((member) => member.account === solver)?.name ?? solver) ?? []

t.test('the better solution is consented to and opened by its solver, for what it adds', async (t) => {
  const market = await setUp(t)
  await market.run(10_000)
  t.match(market.opened, [{ by: 'solver-1', core: { provider: account(market, 'provider-1'), feeTo: account(market, 'solver-1'), attempt: 0 } }])
  t.equal(market.opened.length, 1)
  const [deal] = market.member('creator').deals.creator.all()
  t.match(deal, { state: 'DealAgreed', promise: /^0x/ }, 'the promise is on disk')
})

t.test('a solver that is killed before the creator signs: the next-best solution takes its place in the same window', async (t) => {
  const market = await setUp(t)
  await market.run(5_600)
  market.member('solver-1').kill()
  await market.run(4_400)
  t.match(market.opened, [{ by: 'solver-2', core: { provider: account(market, 'provider-2'), feeTo: account(market, 'solver-2'), attempt: 0 } }])
  t.equal(market.opened.length, 1)
  t.match(market.member('provider-1').deals.provider.all(), [{ state: 'Cancelled' }], 'whose terms nobody signed')
  t.equal(market.member('creator').deals.creator.all().length, 1, 'one DealTerms for one attempt')
})

t.test('the same with one provider: the job goes back into the book and runs under the next attempt by another solver', async (t) => {
  const market = await setUp(t, ['provider-1'])
  await market.run(6_400)
  t.equal(market.member('bystander').auction.decision(1), undefined, 'not decided yet')
  for (const name of ['solver-1', 'solver-2']) market.member(name).kill()
  await market.run(3_600)
  t.same(market.opened, [])
  t.equal(jobOf(market).offer.attempt, 1, 'the provider signed terms for the first')
  await market.add('solver-3', { engine: matching(() => market.member('provider-1').account) })
  market.connectAll()
  await market.boundary()
  await market.run(10_000)
  t.match(market.opened, [{ by: 'solver-3', core: { attempt: 1, feeTo: account(market, 'solver-3') } }])
  t.equal(market.opened.length, 1)
})

t.test('a promise that was not kept: the job runs later with another solver, and nobody listens to the first for a while', async (t) => {
  const market = await setUp(t, ['provider-1'])
  // Neither opens: the solver, whose word it was, nor the provider for it.
  for (const name of ['solver-1', 'solver-2', 'provider-1']) market.lame.add(name)
  await market.run(10_000)
  const [first] = market.member('creator').deals.creator.all()
  const promised = [...market.members.values()].find((member) => member.account === first?.terms.core.feeTo)?.name as string
  const other = promised === 'solver-1' ? 'solver-2' : 'solver-1'
  t.match(first, { state: 'DealNegotiating', promise: /^0x/ })
  market.lame.delete(other)
  await market.run(15_000)
  t.equal(first?.state, 'Cancelled')
  t.equal(market.member('bystander').auction.isListening(first?.terms.core.feeTo as Address), false, 'a node that only heard of it looked at the chain')
  // The creator leaves the provider alone for 20 s, which did not open the deal either.
  await market.run(35_000)
  t.match(market.opened, [{ by: other, core: { attempt: 1, feeTo: account(market, other) } }])
  t.equal(market.opened.length, 1, 'one deal')
  t.same(ranked(market, 'bystander', 5), [other], 'the epochs after openBy are without the solver')
})

t.test('a reveal that reached half of the mesh: the better solution is taken over with its evidence', async (t) => {
  const market = await setUp(t)
  await market.run(4_000)
  // Only the creator hears the better solution in time.
  const mend = market.part(['solver-1', 'creator'], ['provider-1', 'provider-2', 'solver-2', 'bystander'])
  await market.run(1_500)
  mend()
  await market.run(4_500)
  t.same(ranked(market, 'bystander', 1), ['solver-2'])
  t.match(market.opened, [{ core: { provider: account(market, 'provider-1'), feeTo: account(market, 'solver-1') } }])
  t.equal(market.opened.length, 1)
})

t.test('a pair by a worse solution than the provider knows: the creator takes the better one over, and its solver is paid', async (t) => {
  const market = await setUpShared(t)
  await market.run(4_000)
  // Only the provider hears the solution that serves both creators.
  const mend = market.part(['solver-1', 'provider-1'], ['solver-2', 'bystander', 'creator', 'creator-2'])
  await market.run(1_500)
  mend()
  await market.run(4_500)
  t.same(ranked(market, 'bystander', 1), ['solver-2'], 'which is all that the creator heard')
  const own = market.opened.filter(({ core }) => core.creator === account(market, 'creator'))
  t.match(own, [{ by: 'solver-1', core: { provider: account(market, 'provider-1'), feeTo: account(market, 'solver-1'), attempt: 0 } }])
  t.equal(own.length, 1)
})

t.test('a creator that asks for a pair by a worse solution gets no terms, but the better solution', async (t) => {
  const said: { commit?: AuctionCommit, reveal?: AuctionReveal } = {}
  const market = await setUpShared(t, ({ holdBack }) => {
    for (const type of ['commit', 'reveal'] as const) {
      holdBack('solver-2', type, (message, send) => {
        Object.assign(said, message)
        void send()
      })
    }
  })
  // After the reveals and before anybody consents by himself.
  await market.run(5_600)
  const { mesh, auction } = market.member('bystander')
  const { jobs, offers: [offer] } = auction.snapshot(1, 'verify')
  const job = jobs.find((row) => row.account === account(market, 'creator'))?.id as Hash
  const evidence = encodeEvidence(said as Evidence)
  const answer = await createDealRoom({ mesh }).propose(offer?.offer.peer as string, { epoch: 1, evidence, jobOfferId: job, resourceOfferId: offer?.id as Hash, creatorSaltHash: hash(1), fee: 100_000, version: hash(0), batched: false, certificates: [], proofs: [] })
  t.match(answer, { resourceOfferId: offer?.id, terms: undefined })
  t.equal(decodeEvidence((answer as BetterAnswer).better).reveal.solver, account(market, 'solver-1'))
  t.same(market.member('provider-1').deals.provider.all(), [], 'nothing was signed')
})

t.test('the solver of the best solution does not answer a creator: its provider takes the next attempt by the next-best one', async (t) => {
  const market = await setUpShared(t)
  market.member('solver-1').mesh.tamper = async (_peer, protocol, answer) => {
    if (protocol === OPEN_PROTOCOL) throw new Error('no answer')
    return answer
  }
  await market.run(20_000)
  t.same(ranked(market, 'provider-1', 2)[0], 'solver-1', 'the provider listens to it still')
  t.match(market.opened, [{ by: 'solver-2', core: { creator: account(market, 'creator'), attempt: 1 } }])
  t.equal(market.opened.length, 1)
})

t.test('a creator that was cut off during the reveals consents to nothing, blames nobody and is matched in the next epoch', async (t) => {
  const market = await setUp(t)
  await market.run(4_000)
  const mend = market.part(['creator'], ['solver-1', 'solver-2', 'provider-1', 'provider-2', 'bystander'])
  await market.run(2_600)
  mend()
  await market.run(3_400)
  t.same(market.opened, [])
  await market.run(10_000)
  t.same(ranked(market, 'creator', 2), ['solver-1', 'solver-2'])
  t.match(market.opened, [{ by: 'solver-1', core: { attempt: 0 } }])
})

t.test('a solver that commits and does not reveal is not listened to for some epochs', async (t) => {
  const market = await setUp(t)
  await market.run(3_950)
  market.member('solver-1').kill()
  await market.run(16_050)
  t.match(market.opened, [{ by: 'solver-2' }])
  const { auction } = market.member('bystander')
  t.same(['solver-1', 'solver-2'].map((name) => auction.isListening(market.member(name).account)), [false, true])
  await market.run(40_000)
  t.equal(auction.isListening(market.member('solver-1').account), false)
  await market.run(10_000)
  t.equal(auction.isListening(market.member('solver-1').account), true)
})

t.test('without any solver the floor is posted and opened by anyone', async (t) => {
  const market = await openMarket()
  t.teardown(market.stop)
  for (const name of ['provider-1', 'poster-1', 'poster-2', 'creator']) await market.add(name, { askPercent: 80 })
  market.connectAll()
  await market.boundary()
  await market.run(10_000)
  t.equal(market.opened.length, 1)
  t.match(market.opened[0], { by: /^poster/, core: { fee: 100_000 } })
})

t.test('two sides that heard different certificates price by both, and pin them in the terms', async (t) => {
  const { market, speak, ids } = await setUpPrices(t, [10_240, 10_304])
  await speak('solver-1', ['creator'])
  await speak('solver-2', ['provider-1'])
  await market.run(4_000)
  const [deal] = market.member('creator').deals.creator.all()
  t.equal(deal?.terms.rest.certificateSet, certificateSetOf(ids))
  // The lower median of both, on top of the ask: 100 milli-cores.
  t.equal(deal?.terms.core.price, 1_659_099 + 100 * 10_240)
  t.equal(market.opened.length, 1)
})

t.test('a certificate that does not hold at the other side: no deal in this epoch, and one in the next', async (t) => {
  const { market, speak } = await setUpPrices(t, [10_240, 1_048_576])
  await speak('solver-1', ['creator'])
  await speak('solver-2', ['provider-1'])
  await market.run(3_900)
  t.same(market.opened, [])
  t.match(jobOf(market), { avoid: [], problem: { code: 'AUCTION_PRICE_SET' }, offer: { attempt: 0 } }, 'which speaks against nobody')
  await market.run(10_000)
  t.equal(market.opened.length, 1)
})

t.test('who knows that his clock is wrong neither solves nor consents', async (t) => {
  const market = await setUp(t, undefined, ({ member }) => { for (const name of ['solver-1', 'provider-2']) member(name).measuredMs = 9_000 })
  await market.run(10_000)
  t.same(ranked(market, 'creator', 1), ['solver-2'])
  t.same(market.opened, [])
  t.match(jobOf(market), { problem: { code: 'AUCTION_CLOCK' } })
})

/** Two solvers with these certificates, just before the end of the reveals; `speak` lets some hear a certificate that the others do not. */
async function setUpPrices (t: Pick<Test, 'teardown'>, rents: [number, number]): Promise<{ market: TestMarket, ids: Hash[], speak: (solver: string, hearers: string[]) => Promise<void> }> {
  const market = await openMarket({ rules: { minAccounts: 1 } })
  t.teardown(market.stop)
  await market.add('provider-1', { askPercent: 80 })
  // They price the first epoch only.
  let isPriced = true
  for (const [at, rent] of rents.entries()) {
    const [plain, priced] = [undefined, rent].map((price) => matching(() => market.member('provider-1').account, price)) as [Engine, Engine]
    await market.add(`solver-${at + 1}`, { engine: { name: 'fixed', solve: async (snapshot, budget) => await (isPriced ? priced : plain).solve(snapshot, budget) } })
  }
  await market.add('creator')
  const names = [...market.members.keys()]
  market.connectAll()
  await market.boundary()
  // Commits and reveals reach everybody; certificates wait until they are let through.
  const waiting = new Map<string, () => Promise<void>>()
  const ids: Hash[] = []
  for (const name of ['solver-1', 'solver-2']) {
    market.holdBack(name, 'certificate', (message, send) => {
      waiting.set(name, send)
      if (message.type === 'certificate') ids.push(certificateIdOf(message.certificate.solver, message.certificate.certificate))
    })
  }
  await market.run(5_000)
  isPriced = false
  return {
    market,
    ids,
    speak: async (solver, hearers) => {
      const others = names.filter((name) => name !== solver && !hearers.includes(name))
      const mends = [market.part([solver], others), market.part(hearers, others)]
      await waiting.get(solver)?.()
      await market.run(100)
      for (const mend of mends) mend()
    }
  }
}
