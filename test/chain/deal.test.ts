import t from 'tap'
import { zeroAddress } from 'viem'
import { addBondCall, registerMediatorCall, startUnbondCall, finishUnbondCall, withdrawCall } from '../../src/chain/account-calls.ts'
import {
  finalizeCall, nullifyCall, openCall, refundCall, settleAuditedCall, settleCall, submitCall, timeoutSubmitCall, type DealEvidence
} from '../../src/chain/calls.ts'
import { disputeAfter } from '../../src/chain/dispute.ts'
import { challengeCall, revealCall, ruleCall, settleDisputedCall, timeoutRevealCall, timeoutVerdictCall, verdictCall } from '../../src/chain/dispute-calls.ts'
import type { Chain } from '../../src/chain/chain.ts'
import { acceptanceDigest, challengeDigest, drawMediator, drawSeed, nullifyDigest, OUTCOMES, verdictDigest } from '../../src/wire/deal-messages.ts'
import type { Hash } from '../../src/wire/shapes.ts'
import { namedSigner, startTestChain, type TestChain } from '../support/chain.ts'
import { startLedgers, togetherIn } from '../support/ledgers.ts'
import { signDeal, type DealSetup, type SignedDeal } from '../support/deals.ts'

const signal = AbortSignal.timeout(60_000)
const LILY = 1_000_000_000
const EVIDENCE: Hash = `0x${'ee'.repeat(32)}`
const creator = namedSigner('creator')
const provider = namedSigner('provider')
const solver = namedSigner('solver')
const mediator = namedSigner('mediator')
let test: TestChain
let chain: Chain
let jobNumber = 0

t.before(async () => {
  test = await startTestChain()
  for (const signer of [creator, provider, mediator]) {
    await test.fund(signer.address, 10 * LILY)
    const own = await test.chainFor(signer)
    await own.send(await own.depositCall(5 * LILY), { name: 'deposit', signal })
  }
  // Anyone may send a deal's transactions: here an account that is no party.
  const relay = namedSigner('relay')
  await test.fund(relay.address)
  chain = await test.chainFor(relay)
})
t.teardown(async () => { await test.stop() })

async function agree (setup: Partial<DealSetup> = {}): Promise<SignedDeal> {
  const deal = signDeal({ domain: chain.domain, creator, provider, now: await chain.blockTime(), jobNumber: ++jobNumber, feeTo: solver.address, ...setup })
  const { events } = await chain.send(openCall(chain, deal.consent), { name: 'open', signal })
  if (events[0]?.name !== 'DealOpened' || events[0].dealId !== deal.dealId) throw new Error('no DealOpened')
  return deal
}
/** What a step changed in the free money of both parties. */
async function changes (step: () => Promise<unknown>): Promise<{ creator: number, provider: number, locked: number }> {
  const read = async (): Promise<[number, number, number]> => {
    const [ofCreator, ofProvider] = await Promise.all([chain.account(creator.address), chain.account(provider.address)])
    return [ofCreator.free, ofProvider.free, ofProvider.locked]
  }
  const before = await read()
  await step()
  const after = await read()
  return { creator: after[0] - before[0], provider: after[1] - before[1], locked: after[2] - before[2] }
}
const acceptance = ({ dealId, creatorView }: SignedDeal): Hash => creator.sign(acceptanceDigest(chain.domain, { dealId, manifest: (creatorView.result as { manifest: Hash }).manifest }))

t.test('open locks both sides, settle pays: every nLILY is where it belongs', async (t) => {
  let deal: SignedDeal | undefined
  t.same(await changes(async () => { deal = await agree() }), { creator: -135, provider: -300, locked: 435 })
  const opened = deal as SignedDeal
  t.equal(await chain.stateOf(opened.terms), 'Open')
  t.ok(await chain.isNullified(creator.address, opened.terms.core.jobNumber, 0))
  t.match(await chain.lane(provider.address, opened.terms.core.lane), { state: 'Open' })
  await t.rejects(chain.send(openCall(chain, opened.consent), { name: 'open', signal }), { code: 'CHAIN_REVERTED', data: { error: 'Nullified' } })
  const manifest = opened.creatorView.result?.manifest as Hash
  t.same(await changes(async () => {
    const { events } = await chain.send(settleCall(chain, opened.terms, manifest, acceptance(opened)), { name: 'settle', signal })
    t.match(events, [{ name: 'DealSettled', dealId: opened.dealId, args: { manifest } }])
  }), { creator: 30, provider: 400, locked: -435 })
  t.equal((await chain.account(solver.address)).free, 5)
  t.equal(await chain.stateOf(opened.terms), 'Settled')
})

t.test('a silent creator: submit, then finalize after the judge window', async (t) => {
  const deal = await agree()
  const { blockTime } = await chain.send(submitCall(chain, deal.providerView), { name: 'submit', signal })
  t.match(await chain.submission(deal.dealId), { submittedAt: blockTime, manifest: deal.providerView.result?.manifest })
  await t.rejects(chain.send(finalizeCall(chain, deal), { name: 'finalize', signal }), { code: 'CHAIN_REVERTED', data: { error: 'TooEarly' } })
  await test.advance(11)
  t.same(await changes(async () => await chain.send(finalizeCall(chain, deal), { name: 'finalize', signal })), { creator: 20, provider: 410, locked: -435 })
})

t.test('nothing came of it: refund', async (t) => {
  const deal = await agree()
  await test.advance(101)
  t.same(await changes(async () => await chain.send(refundCall(chain, deal), { name: 'refund', signal })), { creator: 135, provider: 300, locked: -435 })
  t.equal(await chain.stateOf(deal.terms), 'Refunded')
})

t.test('a provider that started and did not submit is slashed to the pool', async (t) => {
  const deal = await agree()
  const pool = await chain.pool()
  await test.advance(21)
  t.same(await changes(async () => await chain.send(timeoutSubmitCall(chain, deal.creatorView), { name: 'timeout', signal })), { creator: 145, provider: 0, locked: -435 })
  t.equal(await chain.pool() - pool, 290)
})

t.test('a nullified job cannot be opened', async (t) => {
  const number = ++jobNumber
  const signature = creator.sign(nullifyDigest(chain.domain, { jobNumber: number }))
  await chain.send(nullifyCall(chain, { creator: creator.address, jobNumber: number, signature }), { name: 'nullify', signal })
  t.ok(await chain.isNullified(creator.address, number, 3))
  jobNumber--
  await t.rejects(agree(), { code: 'CHAIN_REVERTED', data: { error: 'Nullified' } })
})

t.test('mediators: bond, register, list; the bond comes back after its time', async (t) => {
  const own = await test.chainFor(mediator)
  await t.rejects(own.send(registerMediatorCall(), { name: 'register', signal }), { code: 'CHAIN_REVERTED', data: { error: 'BondTooLow' } })
  await own.send(addBondCall(2 * LILY), { name: 'bond', signal })
  await own.send(registerMediatorCall(), { name: 'register', signal })
  t.same(await chain.mediators(), [{ address: mediator.address, bond: 2 * LILY }])
  const { blockTime } = await own.send(startUnbondCall(LILY), { name: 'unbond', signal })
  t.equal(await chain.unbondAt(mediator.address), blockTime + test.deployment.parameters.unbondSeconds)
  await test.advance(3601)
  await own.send(finishUnbondCall(), { name: 'unbond', signal })
  await own.send(withdrawCall(mediator.address, LILY), { name: 'withdraw', signal })
  t.match(await chain.balances(mediator.address), { bond: LILY, free: 3 * LILY, token: 6 * LILY })
})

t.test('disputes: challenge, reveal, verdict; in one transaction; by acceptance; and both silences', async (t) => {
  const mediators = { mediators: [mediator.address], weights: [LILY] }
  const take = (view: DealEvidence, events: Parameters<typeof disputeAfter>[1][]): void => {
    const dispute = events.reduce(disputeAfter, view.dispute)
    if (dispute !== undefined) view.dispute = dispute
  }
  const challenge = async (): Promise<SignedDeal> => {
    const deal = await agree({ mediators })
    const manifest = deal.creatorView.result?.manifest as Hash
    const { events } = await chain.send(challengeCall(chain, deal.creatorView, creator.sign(challengeDigest(chain.domain, { dealId: deal.dealId, manifest, kind: 1 }))), { name: 'challenge', signal })
    take(deal.creatorView, [...events])
    return deal
  }
  const reveal = async (deal: SignedDeal): Promise<void> => {
    const { events } = await chain.send(revealCall(chain, deal.creatorView, deal.salts.provider), { name: 'reveal', signal })
    t.match(events[0], { name: 'MediatorDrawn', args: { mediator: drawMediator(drawSeed(deal.salts.creator, deal.salts.provider, deal.dealId), mediators) } })
    take(deal.creatorView, [...events])
  }
  const wrong = ({ dealId, creatorView }: SignedDeal): { outcome: number, evidence: Hash, signature: Hash } => {
    const statement = { outcome: OUTCOMES.wrong, evidence: EVIDENCE }
    return { ...statement, signature: mediator.sign(verdictDigest(chain.domain, { dealId, manifest: creatorView.result?.manifest as Hash, ...statement })) }
  }
  const judged = await challenge()
  await reveal(judged)
  t.same(await changes(async () => await chain.send(verdictCall(chain, judged.creatorView, [{ mediator: mediator.address, ...wrong(judged) }]), { name: 'verdict', signal })), { creator: 145, provider: 0, locked: -435 })
  t.equal(await chain.stateOf(judged.terms), 'MediationRejected')
  const ruled = await challenge()
  t.same(await changes(async () => await chain.send(ruleCall(chain, ruled.creatorView, ruled.salts.provider, [{ seat: 0, ...wrong(ruled) }]), { name: 'rule', signal })), { creator: 145, provider: 0, locked: -435 })
  const accepted = await challenge()
  t.same(await changes(async () => await chain.send(settleDisputedCall(chain, accepted.creatorView, accepted.creatorView.result?.manifest as Hash, acceptance(accepted)), { name: 'settle', signal })), { creator: 30, provider: 400, locked: -435 })

  const unrevealed = await challenge()
  const undecided = await challenge()
  await reveal(undecided)
  await test.advance(11)
  t.same(await changes(async () => await chain.send(timeoutRevealCall(chain, unrevealed.creatorView), { name: 'timeout', signal })), { creator: 145, provider: 0, locked: -435 })
  // The only mediator was silent: nobody can take its seat, and a part of its bond is the parties'.
  t.equal((await changes(async () => await chain.send(timeoutVerdictCall(chain, undecided.creatorView), { name: 'timeout', signal }))).locked, -435)
  t.equal(await chain.stateOf(undecided.terms), 'Refunded')
  const { bond } = await chain.account(mediator.address)
  t.ok(bond < LILY)
  await (await test.chainFor(mediator)).send(addBondCall(LILY - bond), { name: 'bond', signal })
})

t.test('an audited deal settles in one transaction that pays the mediator too', async (t) => {
  const deal = await agree({ mediators: { mediators: [mediator.address], weights: [LILY] } })
  const manifest = deal.providerView.result?.manifest as Hash
  const statement = { outcome: OUTCOMES.correct, evidence: EVIDENCE }
  const verdict = { ...statement, signature: mediator.sign(verdictDigest(chain.domain, { dealId: deal.dealId, manifest, ...statement })) }
  const before = (await chain.account(mediator.address)).free
  t.same(await changes(async () => await chain.send(settleAuditedCall(chain, deal.providerView, { manifest, acceptance: acceptance(deal), verdict }), { name: 'settle', signal })), { creator: 10, provider: 400, locked: -435 })
  t.equal((await chain.account(mediator.address)).free - before, 20)
})

t.test('the ledgers of all parties explain every nLILY of all this', async (t) => {
  const ledgers = await startLedgers(test, [creator, provider, solver, mediator].map(({ address }) => address))
  const views = await ledgers.views()
  await ledgers.stop()
  for (const view of views) t.ok(view.isEqual, JSON.stringify({ account: view.account, sums: view.sums, chain: view.chain }))
  t.equal(togetherIn(views) + await chain.pool(), 3 * 5 * LILY - LILY, 'what was deposited less the withdrawal')
  const kinds = views.map(({ entries }) => [...new Set(entries.map(({ kind }) => kind))])
  t.same(kinds[0]?.sort(), ['compensation', 'deposit', 'lock', 'refund', 'return'].sort())
  t.same(kinds[1]?.sort(), ['compensation', 'deposit', 'lock', 'payment', 'refund', 'slash'].sort())
  t.same(kinds[2], ['fee'])
  t.same(kinds[3]?.sort(), ['bond', 'deposit', 'mediation', 'slash', 'unbond', 'unbonded', 'withdrawal'].sort())
})

t.test('what a deal does not have yet is named before anything is sent', async (t) => {
  const deal = await agree({ feeTo: zeroAddress })
  const { start: _start, ...unstarted } = deal.providerView
  t.throws(() => submitCall(chain, unstarted), { code: 'CHAIN_CALL_INCOMPLETE' })
  t.throws(() => withdrawCall(creator.address, 1.5), { code: 'CHAIN_AMOUNT_RANGE' })
  t.throws(() => withdrawCall(creator.address, -1), { code: 'CHAIN_AMOUNT_RANGE' })
})
t.end()
