import t from 'tap'
import { startUnbondCall } from '../../../src/chain/account-calls.ts'
import { createSystemClock } from '../../../src/core/clock.ts'
import { silentLogger } from '../../../src/core/logger.ts'
import { leavesWord } from '../../../src/deal/batched.ts'
import { createAccusing } from '../../../src/roles/batch/accusing.ts'
import { createSessionKeeper } from '../../../src/roles/batch/session-keeper.ts'
import { ACCUSER_STAKE } from '../../../src/roles/batch/stake.ts'
import { createOrders } from '../../../src/roles/orders.ts'
import { promiseDigest } from '../../../src/wire/broken-promise.ts'
import type { LeafPlace } from '../../../src/wire/deal-room.ts'
import { dealRestHash } from '../../../src/wire/deal-terms.ts'
import type { Hash } from '../../../src/wire/shapes.ts'
import { statementDigest } from '../../../src/wire/statement.ts'
import { agree, openBatcher, openParty, openSolver, until, type Party } from '../../support/batch-scene.ts'
import { namedSigner, startTestChain, type TestChain } from '../../support/chain.ts'
import { createMemoryDatastore } from '../../support/memory-datastore.ts'

/** Money that leaves between both consents and the commit: a session's, and a solver's bond. */
const signal = AbortSignal.timeout(60_000)
let test: TestChain
let [creator, provider]: [Party, Party] = [undefined as never, undefined as never]
const tell = async (dealId: Hash, place: LeafPlace): Promise<void> => {
  for (const party of [creator, provider]) {
    const deal = party.deals.get(dealId)
    if (deal !== undefined) await party.leaves.told(deal, place)
  }
}
t.before(async () => {
  test = await startTestChain({ parameters: { unbondSeconds: 4000 } })
  creator = await openParty(test, 'creator')
  provider = await openParty(test, 'provider')
  await test.fund(creator.signer.address, 2 * ACCUSER_STAKE)
  await creator.chain.send(await creator.chain.depositCall(2 * ACCUSER_STAKE), { name: 'deposit', signal })
})
t.teardown(async () => {
  await Promise.all([creator.stop(), provider.stop()])
  await test.stop()
})
/** What both have, in accounts and sessions. */
const held = async (): Promise<number[]> => await Promise.all([creator, provider].map(async ({ chain, signer }) => {
  const [{ free, locked }, { funds }] = await Promise.all([chain.account(signer.address), chain.session(signer.address, 1)])
  return free + locked + funds
}))
/** The creator pays the only leaf that is its own in the deal's batch. */
async function settle (batcher: Awaited<ReturnType<typeof openBatcher>>, { id, leaf }: { id: Hash, leaf: number }): Promise<void> {
  const leaves = leavesWord([leaf])
  await batcher.statement({ batch: id, creator: creator.signer.address, leaves, signature: creator.signer.sign(statementDigest(creator.chain.domain, { batch: id, creator: creator.signer.address, leaves: BigInt(leaves), lines: [] })) })
}

t.test('the provider\'s session is spent by another solver\'s batch: the leaf is void, nobody is harmed, and the next attempt opens', async (t) => {
  const [other, chain] = [await openSolver(test, 'other'), await openSolver(test, 'solver')]
  const [first, batcher] = [await openBatcher(test, { chain: other, tell }), await openBatcher(test, { chain, tell })]
  t.teardown(async () => { await Promise.all([first.stop(), batcher.stop()]) })
  // Both covered when they were signed: 50,000 are in each session.
  const spending = await agree(creator, provider, { feeTo: other.address, jobNumber: 33, core: { price: 18_000, collateral: 45_000 } })
  const short = await agree(creator, provider, { feeTo: chain.address, jobNumber: 65, core: { price: 12_000, collateral: 30_000 } })
  const before = await held()
  await first.take(spending.gathered)
  await until(() => spending.ofCreator.state === 'DealAgreed' && spending.ofProvider.state === 'DealAgreed')
  await batcher.take(short.gathered)
  const voidIn = await until(() => short.ofCreator.voidIn)
  t.match(short.ofCreator, { state: 'DealNegotiating', batch: undefined, voidIn })
  await settle(first, spending.ofCreator.batch as NonNullable<typeof spending.ofCreator.batch>)
  await until(() => spending.ofProvider.state === 'ResultsAccepted')
  t.same((await held()).map((now, index) => now - (before[index] ?? 0)), [-18_005, 18_000], 'the void leaf costs neither side anything')
  await test.advance(90)
  await until(() => short.ofCreator.state === 'Cancelled' && short.ofProvider.state === 'Cancelled')
  t.equal((await creator.chain.account(chain.address)).locked, 0)
  const next = await agree(creator, provider, { feeTo: chain.address, jobNumber: 65, core: { attempt: 1 } })
  await batcher.take(next.gathered)
  await until(() => next.ofCreator.state === 'DealAgreed' && next.ofProvider.state === 'DealAgreed')
  await settle(batcher, next.ofCreator.batch as NonNullable<typeof next.ofCreator.batch>)
  await until(() => next.ofProvider.state === 'ResultsAccepted')
  t.same((await held()).map((now, index) => now - (before[index] ?? 0)), [-18_110, 18_100])
})

t.test('a session that its owner ends after its consent still covers what it signed', async (t) => {
  const chain = await openSolver(test, 'in notice')
  const batcher = await openBatcher(test, { chain, tell })
  t.teardown(batcher.stop)
  const before = await held()
  const { gathered, ofCreator, ofProvider } = await agree(creator, provider, { feeTo: chain.address, jobNumber: 97 })
  const keeper = createSessionKeeper({ chain: provider.chain, orders: createOrders({ chain: provider.chain, signer: provider.signer }), datastore: createMemoryDatastore(), clock: createSystemClock(), logger: silentLogger })
  await keeper.end()
  t.ok((await keeper.state()).isEnded)
  await batcher.take(gathered)
  await until(() => ofCreator.state === 'DealAgreed' && ofProvider.state === 'DealAgreed')
  await settle(batcher, ofCreator.batch as NonNullable<typeof ofCreator.batch>)
  await until(() => ofProvider.state === 'ResultsAccepted')
  t.same((await held()).map((now, index) => now - (before[index] ?? 0)), [-105, 100])
})

t.test('a solver that takes its bond back between promise and commit opens nothing, and the bond on its way out pays for the promise', async (t) => {
  const chain = await openSolver(test, 'leaving', 10_000)
  const isGone = Promise.withResolvers<undefined>()
  const batcher = await openBatcher(test, { chain: { ...chain, send: async (...call) => { await isGone.promise; return await chain.send(...call) } }, tell })
  t.teardown(batcher.stop)
  const accusing = createAccusing({ deals: creator.deals, chain: creator.chain, clock: createSystemClock(), logger: silentLogger }, { signal })
  creator.chain.onEvent(accusing.onEvent)
  const before = await held()
  const { gathered, ofCreator: deal, ofProvider, signed: { terms } } = await agree(creator, provider, { feeTo: chain.address, jobNumber: 129 })
  await creator.deals.update(deal, (changed) => { changed.promise = namedSigner('leaving').sign(promiseDigest(creator.chain.domain, terms.core, dealRestHash(terms.rest))) })
  await batcher.take(gathered)
  await chain.send(startUnbondCall(10_000), { name: 'unbond', signal })
  isGone.resolve(undefined)
  await test.advance(70)
  await until(() => deal.state === 'Cancelled' && ofProvider.state === 'Cancelled')
  t.equal(deal.voidIn, undefined, 'no batch was committed')
  t.same(await held(), before)
  const look = async (): Promise<void> => { await creator.chain.caughtUp(); await accusing.tick(await creator.chain.blockTime()) }
  await test.advance(60)
  await look()
  await until(() => deal.accusation)
  await test.advance(510)
  await look()
  await until(() => deal.accusation?.end === 'slashed')
  t.same((await held()).map((now, index) => now - (before[index] ?? 0)), [105, 0])
  t.match(await chain.account(chain.address), { bond: 0, unbonding: 10_000 - 105 })
})
