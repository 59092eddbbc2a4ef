import t from 'tap'
import { registerMediatorCall } from '../../src/chain/account-calls.ts'
import type { Chain } from '../../src/chain/chain.ts'
import { judgeCall } from '../../src/chain/dispute-calls.ts'
import { createAppeals, type Appeals } from '../../src/roles/appeals.ts'
import { OUTCOMES } from '../../src/wire/deal-messages.ts'
import type { Hash } from '../../src/wire/shapes.ts'
import { openParty, openSolver, until, type Party } from '../support/batch-scene.ts'
import { namedSigner, startTestChain, type TestChain } from '../support/chain.ts'
import { startLedgers } from '../support/ledgers.ts'
import { createRulings, WINDOW, type Rulings } from '../support/rulings.ts'

/** Rulings of one mediator that wait for an appeal, the appeal of a party, and the word of a judge or none. */
const signal = AbortSignal.timeout(60_000)
const STAKE = 1000
const UNBOND_SECONDS = 4000
const mediator = namedSigner('mediator')
let test: TestChain
let [creator, provider]: [Party, Party] = [undefined as never, undefined as never]
let judge: Chain
let ruled: Rulings['ruled']
let moved: Rulings['moved']
t.before(async () => {
  test = await startTestChain({ parameters: { unbondSeconds: UNBOND_SECONDS, minMediatorBond: STAKE, appealJudge: namedSigner('judge').address } })
  creator = await openParty(test, 'creator')
  provider = await openParty(test, 'provider')
  ;({ ruled, moved } = createRulings({ creator, provider, mediator, feeTo: (await openSolver(test)).address }))
  await (await openSolver(test, 'mediator', STAKE)).send(registerMediatorCall(), { name: 'register', signal })
  await test.fund(namedSigner('judge').address)
  judge = await test.chainFor(namedSigner('judge'))
})
t.teardown(async () => {
  await Promise.all([creator.stop(), provider.stop()])
  await test.stop()
})

const appealsOf = (party: Party, chain: Partial<Chain> = {}): Appeals => createAppeals({ books: [party.deals], chain: { ...party.chain, ...chain }, signer: party.signer })
t.test('the creator appeals, the judge rules otherwise: its stake comes back, the provider is slashed, and the mediator that was wrong earns nothing', async (t) => {
  const deal = await ruled(1, OUTCOMES.correct)
  const { dealId } = deal.ofCreator
  t.match(appealsOf(creator).waiting(), [{ dealId, outcome: OUTCOMES.correct }])
  const appeal = await appealsOf(creator).appeal(dealId.slice(0, 12), { signal })
  t.match(appeal, { dealId, stake: STAKE, judgeBy: appeal.receipt.blockTime + UNBOND_SECONDS / 2 })
  t.same(appealsOf(creator).waiting(), [])
  await until(() => deal.ofProvider.dispute?.ruling?.appellant === creator.signer.address)
  const verdict = judgeCall(judge, deal.ofProvider, OUTCOMES.wrong)
  t.equal(verdict.data, appeal.judgements.wrong, 'what the appellant shows is what its judge sends')
  await judge.send(verdict, { name: 'judge', signal })
  await until(() => deal.ofCreator.state === 'MediationRejected' && deal.ofProvider.state === 'MediationRejected')
  t.same(await moved(deal), [10, -300, 290])
})

t.test('the provider appeals, the judge rules the same: the other party gets its pinned cost of the stake, the pool the rest', async (t) => {
  const deal = await ruled(2, OUTCOMES.wrong)
  await appealsOf(provider).appeal(deal.ofProvider.dealId, { signal })
  await until(() => deal.ofCreator.dispute?.ruling?.appellant === provider.signer.address)
  await t.rejects(appealsOf(creator).appeal(deal.ofCreator.dealId, { signal }), { code: 'DEAL_APPEALED', data: { appellant: provider.signer.address } })
  await judge.send(judgeCall(judge, deal.ofCreator, OUTCOMES.wrong), { name: 'judge', signal })
  await until(() => deal.ofCreator.state === 'MediationRejected' && deal.ofProvider.state === 'MediationRejected')
  t.same(await moved(deal), [10 + 10, -300 - STAKE, 270 + STAKE - 10])
})

t.test('a judge that says nothing: the ruling stands when its time is over, and whoever notices first ends it', async (t) => {
  const deal = await ruled(3, OUTCOMES.correct)
  await appealsOf(creator).appeal(deal.ofCreator.dealId, { signal })
  await test.advance(WINDOW)
  await creator.chain.caughtUp()
  t.equal(await creator.chain.stateOf(deal.ofCreator.terms), 'Drawn', 'the time for an appeal is over, the judge\'s is not')
  await test.advance(UNBOND_SECONDS / 2)
  await until(() => deal.ofCreator.state === 'MediationAccepted' && deal.ofProvider.state === 'MediationAccepted')
  t.same(await moved(deal), [-105 - 10 - 20 - STAKE, 100 + 10 + 10, STAKE - 10])
})

t.test('nobody appeals: the ruling is paid after its time, and what cannot be appealed says why', async (t) => {
  const deal = await ruled(4, OUTCOMES.correct)
  const { dealId } = deal.ofCreator
  const { deployment } = creator.chain
  const code = async (appeals: Appeals, id: string = dealId): Promise<unknown> => await appeals.appeal(id, { signal }).catch((error: unknown) => (error as { code: string }).code)
  t.equal(await code(appealsOf(creator), '0x1234'), 'DEAL_UNKNOWN')
  t.equal(await code(appealsOf(creator), `0x${'9'.repeat(64)}`), 'DEAL_UNKNOWN')
  t.equal(await code(appealsOf(creator, { deployment: { ...deployment, parameters: { ...deployment.parameters, appealJudge: 'none' } } })), 'DEAL_NO_JUDGE')
  t.equal(await code(appealsOf(creator, { account: async () => ({ free: STAKE - 1, locked: 0, bond: 0, unbonding: 0 }) })), 'DEAL_APPEAL_STAKE')
  t.equal(await code(appealsOf(creator, { blockTime: async () => (deal.ofCreator.dispute?.ruling?.until ?? 0) + 1 })), 'DEAL_APPEAL_LATE')
  await test.advance(WINDOW)
  await until(() => deal.ofCreator.state === 'MediationAccepted' && deal.ofProvider.state === 'MediationAccepted')
  t.same(await moved(deal), [-105 - 10 - 20, 100 + 10, 0])
  t.equal(await code(appealsOf(creator)), 'DEAL_NO_RULING')
  const accounts: Hash[] = [creator.signer.address, provider.signer.address, mediator.address]
  const ledgers = await startLedgers(test, accounts)
  await until(async () => (await ledgers.views()).every(({ isEqual }) => isEqual))
  await ledgers.stop()
})
