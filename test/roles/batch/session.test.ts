import t from 'tap'
import { createManualClock } from '../../../src/core/clock.ts'
import { silentLogger } from '../../../src/core/logger.ts'
import { createSessionKeeper, type SessionKeeper } from '../../../src/roles/batch/session-keeper.ts'
import { createOrders } from '../../../src/roles/orders.ts'
import type { Chain } from '../../../src/chain/chain.ts'
import { namedSigner, startTestChain, type TestChain } from '../../support/chain.ts'
import { createMemoryDatastore } from '../../support/memory-datastore.ts'

const owner = namedSigner('owner')
const datastore = createMemoryDatastore()
const signal = AbortSignal.timeout(60_000)
let test: TestChain
let chain: Chain
t.before(async () => {
  test = await startTestChain()
  await test.fund(owner.address, 2000)
  chain = await test.chainFor(owner)
})
t.teardown(async () => { await test.stop() })
const keeperOf = (): SessionKeeper => createSessionKeeper({ chain, orders: createOrders({ chain, signer: owner }), datastore, clock: createManualClock(), logger: silentLogger })
const pass = async (seconds: number): Promise<void> => { await test.advance(seconds); await chain.caughtUp() }
const money = async (): Promise<{ free: number, funds: number }> => ({ free: (await chain.account(owner.address)).free, funds: (await chain.session(owner.address, 1)).funds })

t.test('half of what comes goes to the session; it is filled again only below a quarter', async (t) => {
  const keeper = keeperOf()
  await keeper.look()
  t.match(await keeper.state(), { funds: 0, expiry: 0, isEnded: false }, 'without money there is none')
  await chain.send(await chain.depositCall(1000), { name: 'deposit', signal })
  await keeper.look()
  t.same(await money(), { free: 500, funds: 500 })
  t.ok((await keeper.state()).expiry > await chain.blockTime() + 29 * 86_400)
  await chain.send(await chain.depositCall(1000), { name: 'deposit', signal })
  await keeper.look()
  t.same(await money(), { free: 1500, funds: 500 }, 'a quarter is enough')
  await createOrders({ chain, signer: owner }).withdraw(owner.address, 100, { name: 'withdraw', signal })
  await keeper.look()
  t.same(await money(), { free: 1400, funds: 500 })
})

t.test('renewed with a week left, with its funds', async (t) => {
  const { expiry } = await keeperOf().state()
  await pass(24 * 86_400)
  await keeperOf().look()
  t.ok((await keeperOf().state()).expiry > expiry + 20 * 86_400)
  t.same(await money(), { free: 1400, funds: 500 })
})

t.test('ended by its owner it lives ten minutes more, also over a restart; then its funds are free, and renewing begins anew', async (t) => {
  await keeperOf().end()
  const after = keeperOf()
  const { isEnded, expiry, funds } = await after.state()
  t.same([isEnded, funds], [true, 500])
  t.ok(expiry <= await chain.blockTime() + 601)
  await after.look()
  t.same(await money(), { free: 1400, funds: 500 }, 'not before its end')
  await pass(601)
  await after.look()
  t.same(await money(), { free: 1900, funds: 0 })
  await after.look()
  t.equal((await after.state()).allowed, 0)
  await after.renew()
  t.same(await money(), { free: 950, funds: 950 })
})
