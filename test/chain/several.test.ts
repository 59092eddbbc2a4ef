import t from 'tap'
import { openCall, settleCall } from '../../src/chain/calls.ts'
import { createVolatileStore } from '../../src/chain/chain-store.ts'
import type { Chain, ContractCall, TxReceipt } from '../../src/chain/chain.ts'
import { createLedger, type Ledger } from '../../src/chain/ledger/ledger.ts'
import { createSystemClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { createOrders } from '../../src/roles/orders.ts'
import { acceptanceDigest } from '../../src/wire/deal-messages.ts'
import type { Hash } from '../../src/wire/shapes.ts'
import { namedSigner, startTestChain, type TestChain } from '../support/chain.ts'
import { signDeal } from '../support/deals.ts'

/** One key and one datastore on two chains at once, whose contracts even have the same addresses. */
const [creator, provider] = [namedSigner('creator'), namedSigner('provider')]
const store = createVolatileStore()
const clock = createSystemClock()
interface Side { test: TestChain, chain: Chain, ledger: Ledger }
let here: Side
let there: Side
const signal = (): AbortSignal => AbortSignal.timeout(10_000)

async function open (chainId: number, deposit: number): Promise<Side> {
  const test = await startTestChain({ chainId })
  for (const party of [creator, provider]) await test.fund(party.address, 10_000)
  const other = await test.chainFor(provider)
  await other.send(await other.depositCall(1000), { name: 'deposit', signal: signal() })
  const chain = await test.chainFor(creator, { datastore: store })
  const ledger = createLedger({ chain, datastore: store, clock, logger: silentLogger }, { account: creator.address })
  await ledger.start()
  await chain.send(await chain.depositCall(deposit), { name: 'deposit', signal: signal() })
  return { test, chain, ledger }
}
t.before(async () => { [here, there] = await Promise.all([open(31_337, 1000), open(31_338, 2000)]) })
t.teardown(async () => { await Promise.all([here, there].map(async ({ test, ledger }) => { await test.stop(); await ledger.stop() })) })

t.test('deals of both run side by side, and each ledger has its own chain\'s money', async (t) => {
  t.equal(here.test.deployment.contracts.market, there.test.deployment.contracts.market, 'nothing but the chain id tells them apart')
  await Promise.all([here, there].map(async ({ chain }, side) => {
    const { dealId, terms, consent, providerView } = signDeal({ domain: chain.domain, creator, provider, now: await chain.blockTime(), jobNumber: 1, feeTo: creator.address, core: { price: 100 + side } })
    const send = async (call: ContractCall): Promise<TxReceipt> => await chain.send(call, { name: call.functionName, signal: signal() })
    await send(openCall(chain, consent))
    const manifest = providerView.result?.manifest as Hash
    await send(settleCall(chain, terms, manifest, creator.sign(acceptanceDigest(chain.domain, { dealId, manifest }))))
  }))
  const [near, far] = [await here.ledger.view(), await there.ledger.view()]
  t.ok(near.isEqual && far.isEqual)
  t.match([near.sums.free, far.sums.free], [1000 - 100, 2000 - 101])
  const ids = new Set(near.entries.map(({ deal }) => deal))
  t.notOk(far.entries.some(({ deal }) => deal !== undefined && ids.has(deal)), 'a deal has another id on each')
})

t.test('what is signed for one chain moves nothing on the other', async (t) => {
  const before = await there.chain.account(creator.address)
  const { consent } = signDeal({ domain: here.chain.domain, creator, provider, now: await here.chain.blockTime(), jobNumber: 2, feeTo: creator.address })
  const carried = async (call: ContractCall): Promise<unknown> => await there.chain.send(call, { name: call.functionName, signal: signal() })
  await t.rejects(carried(openCall(there.chain, consent)), { code: 'CHAIN_REVERTED', data: { error: 'BadSignature' } })
  await t.rejects(carried(await here.chain.depositCall(1)), { code: 'CHAIN_REVERTED' }, 'a permit')
  // The order of one chain, told to the other.
  const orders = createOrders({ chain: { ...here.chain, send: async (call) => await there.chain.send(call, { name: 'order', signal: signal() }) }, signer: creator })
  await t.rejects(orders.withdraw(provider.address, 1, { name: 'order', signal: signal() }), { code: 'CHAIN_REVERTED', data: { error: 'NotTheAccount' } })
  t.same(await there.chain.account(creator.address), before)
})

t.test('both follow on where they were after a restart over the same datastore', async (t) => {
  for (const { test, ledger } of [here, there]) {
    const entries = (await ledger.view()).entries
    const chain = await test.chainFor(creator, { datastore: store })
    const again = createLedger({ chain, datastore: store, clock, logger: silentLogger }, { account: creator.address })
    await again.start()
    t.same((await again.view()).entries, entries)
    await chain.stop()
    await again.stop()
  }
})
t.end()
