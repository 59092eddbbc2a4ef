import t from 'tap'
import { keccak256, stringToBytes } from 'viem'
import { registerMediatorCall } from '../../src/chain/account-calls.ts'
import { openCall } from '../../src/chain/calls.ts'
import type { Chain, ChainEvent } from '../../src/chain/chain.ts'
import { challengeCall } from '../../src/chain/dispute-calls.ts'
import { createSystemClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import type { Deal, MediatorVerdict } from '../../src/deal/deal.ts'
import { createCourt, type Court } from '../../src/roles/court.ts'
import { createEquivocations } from '../../src/roles/equivocations.ts'
import { createSeats } from '../../src/roles/seats.ts'
import { drawPanel } from '../../src/verify/panel.ts'
import { challengeDigest, drawSeed, mediatorRoot, OUTCOMES, verdictDigest, type MediatorList } from '../../src/wire/deal-messages.ts'
import type { Address } from '../../src/wire/shapes.ts'
import { agree, deliver, openParty, openSolver, until, type Party } from '../support/batch-scene.ts'
import { namedSigner, startTestChain, type TestChain } from '../support/chain.ts'
import { createMemoryDatastore } from '../support/memory-datastore.ts'

const signal = AbortSignal.timeout(60_000)
const LILY = 1_000_000_000
/** Of each step of a dispute. */
const WINDOW = 300
const NAMES = ['m1', 'm2', 'm3', 'm4', 'm5']
const signers = new Map(NAMES.map((name) => [namedSigner(name).address, namedSigner(name)]))
const list: MediatorList = { mediators: [...signers.keys()].sort(), weights: NAMES.map(() => 10) }
let test: TestChain
let [creator, provider]: [Party, Party] = [undefined as never, undefined as never]
let feeTo: Address
const events: ChainEvent[] = []
const sent: string[] = []
/** What each mediator would say; who is not named is silent. */
const words = new Map<Address, number>()
async function wordOf (deal: Deal, mediator: Address): Promise<MediatorVerdict> {
  const outcome = words.get(mediator)
  const signer = signers.get(mediator)
  if (outcome === undefined || signer === undefined || deal.result === undefined) throw new Error('silent')
  const evidence = mediatorRoot(list)
  return { mediator, outcome, evidence, signature: signer.sign(verdictDigest(creator.chain.domain, { dealId: deal.dealId, manifest: deal.result.manifest, outcome, evidence })) }
}
const counted = (chain: Chain): Chain => ({ ...chain, send: async (call, options) => { sent.push(options.name); return await chain.send(call, options) } })
const courtOf = (party: Party): Court => createCourt({
  deals: party.deals, chain: counted(party.chain), clock: createSystemClock(), logger: silentLogger,
  verdicts: { ask: wordOf }
}, { signal })
t.before(async () => {
  test = await startTestChain({ parameters: { unbondSeconds: 4000 } })
  creator = await openParty(test, 'creator')
  provider = await openParty(test, 'provider')
  creator.chain.onEvent((event) => { events.push(event) })
  feeTo = (await openSolver(test)).address
  await Promise.all(NAMES.map(async (name) => { await (await openSolver(test, name, LILY)).send(registerMediatorCall(), { name: 'register', signal }) }))
})
t.teardown(async () => {
  await Promise.all([creator.stop(), provider.stop()])
  await test.stop()
})
/** A direct deal with a panel of three whose result its creator challenged, and the panel by seat. */
async function challenged (jobNumber: number): Promise<{ ofCreator: Deal, ofProvider: Deal, panel: Address[] }> {
  sent.length = 0
  events.length = 0
  words.clear()
  const { signed, ofCreator, ofProvider } = await agree(creator, provider, { feeTo, jobNumber, mediators: list, core: { lane: jobNumber, reserve: 30 }, rest: { verdicts: 2, challengeSeconds: WINDOW, judgeSeconds: 600, submitSeconds: 600, startBy: await creator.chain.blockTime() + 600 } })
  const { creator: saltCreator, provider: saltProvider } = signed.salts
  await creator.chain.send(openCall(creator.chain, signed.consent), { name: 'open', signal })
  await until(() => ofCreator.state === 'DealAgreed' && ofProvider.state === 'DealAgreed')
  await Promise.all([deliver(creator.deals, ofCreator, signed), deliver(provider.deals, ofProvider, signed)])
  const signature = creator.signer.sign(challengeDigest(creator.chain.domain, { dealId: signed.dealId, manifest: ofCreator.result?.manifest as Address, kind: 1 }))
  await creator.chain.send(challengeCall(creator.chain, signed.creatorView, signature), { name: 'challenge', signal })
  await until(() => ofCreator.dispute !== undefined && ofProvider.dispute !== undefined)
  const live = (await creator.chain.mediators()).map(({ address }) => address)
  return { ofCreator, ofProvider, panel: drawPanel(drawSeed(saltCreator, saltProvider, signed.dealId), list, 3, (mediator) => live.includes(mediator)) }
}

t.test('a panel of three whose words are at hand rules in one transaction, by the two that agree', async (t) => {
  const { ofCreator, panel } = await challenged(1)
  await creator.deals.update(ofCreator, (deal) => { deal.otherSalt = signedSalt(1) })
  for (const [seat, mediator] of panel.entries()) words.set(mediator, seat === 1 ? OUTCOMES.correct : OUTCOMES.wrong)
  await courtOf(creator).pursue(ofCreator)
  await until(() => ofCreator.state === 'MediationRejected')
  t.same(sent, ['rule'])
})

t.test('a creator that challenges and says no more: its provider draws, brings words in time, and the one who replaces a silent mediator decides', async (t) => {
  const { ofProvider, panel } = await challenged(2)
  const [silent, right, wrong] = panel as [Address, Address, Address]
  words.set(right, OUTCOMES.correct)
  words.set(wrong, OUTCOMES.wrong)
  const court = courtOf(provider)
  await court.pursue(ofProvider)
  t.same(sent, ['reveal'], 'one word each way decides nothing, and a third may come')
  await test.advance(WINDOW / 2 + 10)
  await provider.chain.caughtUp()
  await court.pursue(ofProvider)
  t.same(sent, ['reveal', 'verdict'], 'words that are here are brought before who gave them counts as silent')
  await test.advance(WINDOW)
  await until(() => ofProvider.dispute?.replaced === 1)
  t.equal((await provider.chain.account(silent)).bond, LILY - LILY / 10, 'a party that depends on it had it replaced')
  await creator.chain.caughtUp()
  const seats = createSeats({ chain: provider.chain, datastore: createMemoryDatastore() })
  const replacement = ofProvider.dispute?.mediators[0] as Address
  t.notOk(panel.includes(replacement))
  for (const event of events) if (event.name === 'MediatorDrawn' && event.args.mediator === replacement) await seats.add(event.args.dealId, event.blockTime)
  t.ok(await seats.has(ofProvider.dealId))
  words.set(replacement, OUTCOMES.correct)
  await court.pursue(ofProvider)
  await until(() => ofProvider.state === 'MediationAccepted')
  t.same(sent, ['reveal', 'verdict', 'verdict'])
})

t.test('a mediator that told one party another outcome than the Court loses its bond by that party\'s node', async (t) => {
  const { ofCreator, ofProvider, panel } = await challenged(3)
  const [liar, honest] = panel as [Address, Address]
  const start = async (books: ReadonlyArray<Party['deals']>): Promise<void> => {
    const equivocations = createEquivocations({ books, chain: counted(creator.chain), clock: createSystemClock(), logger: silentLogger })
    await equivocations.start()
    t.teardown(equivocations.stop)
  }
  await start([creator.deals])
  for (const mediator of [liar, honest]) words.set(mediator, OUTCOMES.wrong)
  const said = await Promise.all([liar, honest].map(async (mediator) => await wordOf(ofCreator, mediator)))
  words.set(liar, OUTCOMES.correct)
  words.set(panel[2] as Address, OUTCOMES.correct)
  words.delete(honest)
  await creator.deals.update(ofCreator, (deal) => { deal.votes = said })
  await courtOf(provider).pursue(ofProvider)
  await until(async () => (await provider.chain.account(liar)).bond === 0)
  t.same(sent, ['rule', 'slash-equivocation'], 'once, by who holds the other word')
  t.equal((await provider.chain.account(honest)).bond, LILY)
})

/** As signDeal has it. */
function signedSalt (jobNumber: number): Address {
  return keccak256(stringToBytes(`provider salt ${jobNumber}`))
}
