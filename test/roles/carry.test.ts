import t from 'tap'
import { hexToBytes } from 'viem'
import { addBondCall, depositApprovedCall, withdrawCall } from '../../src/chain/account-calls.ts'
import { authoriseCall, orderCall } from '../../src/chain/batch/calls.ts'
import { nullifyCall } from '../../src/chain/calls.ts'
import type { Chain, ContractCall } from '../../src/chain/chain.ts'
import { encodeCall } from '../../src/chain/encode-call.ts'
import { ContractError } from '../../src/chain/errors.ts'
import { closeCall, redeemCall, reserveCall, startCloseCall, vouchersTogetherCall } from '../../src/chain/vouchers/calls.ts'
import { createManualClock, createSystemClock, type Clock } from '../../src/core/clock.ts'
import type { Startable } from '../../src/core/lifecycle.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { createSeededRandom } from '../../src/core/random.ts'
import { NODE_SESSION } from '../../src/deal/batched.ts'
import { createSessionKeeper } from '../../src/roles/batch/session-keeper.ts'
import { createCarryBudget } from '../../src/roles/carry/budget.ts'
import { createCarriedSend } from '../../src/roles/carry/carried.ts'
import { createCarrier, type CarrierComponents } from '../../src/roles/carry/carrier.ts'
import { createOrders, type Orders } from '../../src/roles/orders.ts'
import { createChannels } from '../../src/roles/vouchers/channels.ts'
import { createPurse } from '../../src/roles/vouchers/purse.ts'
import { createTill } from '../../src/roles/vouchers/till.ts'
import { CARRY_PROTOCOL } from '../../src/wire/carry.ts'
import { encodeMessage } from '../../src/wire/deal-room.ts'
import { nullifyDigest } from '../../src/wire/deal-messages.ts'
import { ORDER_KINDS } from '../../src/wire/order.ts'
import type { Address } from '../../src/wire/shapes.ts'
import type { SignedVoucher } from '../../src/wire/voucher.ts'
import { namedSigner, startTestChain, type TestChain } from '../support/chain.ts'
import { createMemoryDatastore } from '../support/memory-datastore.ts'
import { createMemoryNetwork } from '../support/memory-mesh.ts'

const LILY = 1_000_000_000
const [poor, solver, nobody] = [namedSigner('creator without ETH'), namedSigner('carrying solver'), namedSigner('nobody')]
const carrierClock = createManualClock()
const network = createMemoryNetwork(createSeededRandom(1))
let test: TestChain
let own: Chain
let bank: Chain
let clockMs = 0
let solverMesh: CarrierComponents['mesh']
const disk = createMemoryDatastore()
/** The carrying solver, or what comes up in its place after a restart. */
async function startCarrier (): Promise<Startable> {
  const carrier = createCarrier({ mesh: solverMesh, chain: bank, datastore: disk, clock: { ...carrierClock, now: () => carrierClock.now() + clockMs }, logger: silentLogger })
  await carrier.start()
  t.teardown(carrier.stop)
  return carrier
}
const within = (ms = 10_000): AbortSignal => AbortSignal.timeout(ms)

t.before(async () => {
  test = await startTestChain()
  await test.fund(solver.address, 100 * LILY)
  bank = await test.chainFor(solver)
  await bank.send(await bank.depositCall(50 * LILY), { name: 'deposit', signal: within() })
  // Tokens, and not one wei.
  await bank.send(encodeCall('token', 'transfer', [poor.address, BigInt(10 * LILY)]), { name: 'tokens', signal: within() })
  own = await test.chainFor(poor)
  solverMesh = network.node('solver')
  await startCarrier()
})
t.teardown(async () => { await test.stop() })

const ANY_LIMITS = { maxBytes: 65_536, perPeerPerSecond: 100, concurrency: 100, timeoutMs: 60_000 }

/** The chain of a node whose key is `of`'s, and who knows of the carrying solver. */
function carriedChain (of: Chain, name: string): Chain {
  const mesh = network.node(name)
  network.connect(name, 'solver')
  return { ...of, send: createCarriedSend({ chain: of, mesh: { requests: mesh.requests, roles: { find: async () => ['solver'] } }, clock: createSystemClock(), logger: silentLogger }, { handsOn: false }) }
}

/** A creator's node with ETH and LILY that finds these solvers. `sent`: transactions of its own. */
async function handsOn (name: string, solvers: string[], { clock = createSystemClock(), onFind = () => undefined }: { clock?: Clock, onFind?: () => void } = {}): Promise<{ chain: Chain, orders: Orders, sent: () => Promise<number> }> {
  const signer = namedSigner(name)
  await test.fund(signer.address, 10 * LILY)
  const ownChain = await test.chainFor(signer)
  const mesh = network.node(name)
  for (const each of solvers) if (each !== 'gone') network.connect(name, each)
  const find = async (): Promise<string[]> => {
    onFind()
    return await Promise.resolve(solvers)
  }
  const chain = { ...ownChain, send: createCarriedSend({ chain: ownChain, mesh: { requests: mesh.requests, roles: { find } }, clock, logger: silentLogger }, { handsOn: true }) }
  return { chain, orders: createOrders({ chain, signer }), sent: async () => Number(await test.clients.request('eth_getTransactionCount', [signer.address, 'latest'])) }
}

t.test('a creator that never had ETH deposits, opens a session, funds it, bonds, takes a job back and withdraws', async (t) => {
  const chain = carriedChain(own, 'poor')
  const orders = createOrders({ chain, signer: poor })
  const send = async (call: ContractCall): Promise<unknown> => await chain.send(call, { name: call.functionName, signal: within() })
  await send(await chain.depositCall(8 * LILY))
  t.match(await chain.balances(poor.address), { wei: 0n, token: 2 * LILY, free: 8 * LILY })
  const keeper = createSessionKeeper({ datastore: createMemoryDatastore(), chain, orders, clock: createSystemClock(), logger: silentLogger })
  await keeper.start()
  await keeper.stop()
  t.match(await chain.session(poor.address, NODE_SESSION), { funds: 4 * LILY })
  const receipt = await orders.bond(LILY, { name: 'bond', signal: within() })
  t.match(receipt, { name: 'bond', from: solver.address, events: [{ name: 'Bonded', args: { account: poor.address, amount: LILY } }] })
  await Promise.all([1, 2].map(async (each) => await orders.withdraw(poor.address, each, { name: 'withdraw', signal: within() })))
  await send(nullifyCall(chain, { creator: poor.address, jobNumber: 7, signature: poor.sign(nullifyDigest(chain.domain, { jobNumber: 7 })) }))
  t.ok(await chain.isNullified(poor.address, 7, 0))
  t.match(await chain.balances(poor.address), { wei: 0n, token: 2 * LILY + 3, free: 3 * LILY - 3, bond: LILY })
})

t.test('a creator with ETH hands on what it does with its money, and sends all else itself', async (t) => {
  const { chain, orders, sent } = await handsOn('rich', ['solver'])
  await chain.send(await chain.depositCall(4 * LILY), { name: 'deposit', signal: within() })
  t.equal(await sent(), 1, 'a deposit is its own')
  const keeper = createSessionKeeper({ datastore: createMemoryDatastore(), chain, orders, clock: createSystemClock(), logger: silentLogger })
  await keeper.look()
  t.match(await chain.session(chain.address, NODE_SESSION), { funds: 2 * LILY })
  t.match(await orders.withdraw(chain.address, LILY, { name: 'withdraw', signal: within() }), { from: solver.address })
  t.equal(await sent(), 1)
  const signer = namedSigner('rich')
  await chain.send(nullifyCall(chain, { creator: signer.address, jobNumber: 1, signature: signer.sign(nullifyDigest(chain.domain, { jobNumber: 1 })) }), { name: 'nullify', signal: within() })
  t.equal(await sent(), 2, 'what guards a deal waits for nobody')
})

t.test('when every solver that is there refuses, it sends the order itself at once', async (t) => {
  network.node('liar').requests.serve(CARRY_PROTOCOL, ANY_LIMITS, async () => { throw new ContractError('CHAIN_REVERTED', 'it says') })
  const { chain, orders, sent } = await handsOn('refused', ['gone', 'liar', 'solver'])
  // Half of what a carrier asks for.
  await chain.send(await chain.depositCall(LILY / 2), { name: 'deposit', signal: within() })
  t.match(await orders.withdraw(chain.address, 1, { name: 'withdraw', signal: within() }), { from: chain.address })
  t.equal(await sent(), 2)
  await chain.send(await chain.depositCall(LILY), { name: 'deposit', signal: within() })
  t.match(await orders.withdraw(chain.address, 1, { name: 'withdraw', signal: within() }), { from: solver.address }, 'one that lies does not keep it from the others')
})

t.test('when no solver is found for five seconds, or one says nothing for thirty, it sends the order itself', async (t) => {
  const clock = createManualClock()
  const looked = Promise.withResolvers<void>()
  const lonely = await handsOn('lonely', [], { clock, onFind: looked.resolve })
  await lonely.chain.send(await lonely.chain.depositCall(LILY), { name: 'deposit', signal: within() })
  const withdrawal = lonely.orders.withdraw(lonely.chain.address, 1, { name: 'withdraw', signal: within() })
  await looked.promise
  await new Promise(setImmediate)
  clock.advance(4_999)
  await new Promise(setImmediate)
  t.equal(await lonely.sent(), 1, 'not yet')
  clock.advance(1_000)
  t.match(await withdrawal, { from: lonely.chain.address })

  const asked = Promise.withResolvers<void>()
  network.node('silent').requests.serve(CARRY_PROTOCOL, ANY_LIMITS, async (_, { signal }) => await new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => { reject(signal.reason) })
    asked.resolve()
  }))
  const waiting = await handsOn('waiting', ['silent'], { clock })
  await waiting.chain.send(await waiting.chain.depositCall(LILY), { name: 'deposit', signal: within() })
  const another = waiting.orders.withdraw(waiting.chain.address, 1, { name: 'withdraw', signal: within() })
  await asked.promise
  clock.advance(29_999)
  await new Promise(setImmediate)
  t.equal(await waiting.sent(), 1, 'not yet')
  clock.advance(1)
  t.match(await another, { from: waiting.chain.address })
})

t.test('payer and payee without ETH open a channel, pay, redeem, close and take the rest; no step is lost to who carries it', async (t) => {
  clockMs += 3_600_001
  const payee = namedSigner('payee without ETH')
  const [chain, ofPayee] = [carriedChain(own, 'poor'), carriedChain(await test.chainFor(payee), 'payee')]
  // What the payee is worth to a carrier.
  await bank.send(encodeCall('token', 'transfer', [payee.address, BigInt(2 * LILY)]), { name: 'tokens', signal: within() })
  await ofPayee.send(await ofPayee.depositCall(2 * LILY), { name: 'deposit', signal: within() })
  const clock = createManualClock()
  const carried: string[] = []
  const noting = (of: Chain): Chain => ({ ...of, send: async (call, options) => { const receipt = await of.send(call, options); carried.push(call.functionName); return receipt } })
  const purse = createPurse({ chain: noting(chain), signer: poor, channels: createChannels({ chain, clock }), datastore: createMemoryDatastore() })
  const till = createTill({ chain: noting(ofPayee), signer: payee, channels: createChannels({ chain: ofPayee, clock }), datastore: createMemoryDatastore(), clock: createSystemClock() }, { minCloseSeconds: 600 })
  await purse.open(payee.address, 1000, { expiry: await own.blockTime() + 86_400, closeSeconds: 600, signal: within() })
  await till.take(await purse.pay(payee.address, 100))
  await till.redeem(within())
  await till.take(await purse.pay(payee.address, 200))
  await purse.close(payee.address, within())
  const receipts = await till.close(poor.address, within())
  t.same(receipts.map(({ from }) => from), [solver.address, solver.address])
  t.same(carried, ['reserve', 'redeem', 'startClose', 'redeem', 'close'], 'the signed closing is shown to nobody before the voucher is redeemed')
  t.match(await ofPayee.balances(payee.address), { wei: 0n, free: 2 * LILY + 300 })
  t.match(await chain.channel(poor.address, payee.address), { until: 0 })
})

t.test('several vouchers are carried together for one payee; nothing else is', async (t) => {
  const { requests } = network.node('bundler')
  network.connect('bundler', 'solver')
  const ask = async ({ contract, data }: ContractCall): Promise<unknown> => await requests.request('solver', CARRY_PROTOCOL, encodeMessage({ contract, data: hexToBytes(data) }), { signal: within(), maxBytes: 1024 })
  const voucher = (payee: Address, amount = 1): SignedVoucher => ({ payer: nobody.address, payee, nonce: 1, amount, signature: `0x${'11'.repeat(64)}` })
  const redeem = redeemCall(voucher(poor.address))
  const close = closeCall({ payer: nobody.address, payee: poor.address, nonce: 1 }, `0x${'11'.repeat(65)}`)
  for (const [calls, why] of [
    [[], 'nothing'], [[redeem, close], 'a closing'], [[redeem, startCloseCall({ payer: solver.address, payee: poor.address, nonce: 1 })], 'the carrier\'s own word'],
    [[redeem, redeemCall(voucher(nobody.address))], 'another payee'], [Array.from({ length: 17 }, () => redeem), 'too many'], [[vouchersTogetherCall([redeem])], 'one in another']
  ] as const) await t.rejects(ask(vouchersTogetherCall(calls)), { code: 'CARRY_REFUSED' }, why)
  await t.rejects(ask(vouchersTogetherCall([redeem, redeem])), { code: 'CHAIN_REVERTED' }, 'the chain\'s to refuse')
  await t.rejects(ask(closeCall({ payer: poor.address, payee: solver.address, nonce: 1 })), { code: 'CARRY_REFUSED' }, 'an unsigned closing would be the carrier\'s')
  await t.rejects(ask(startCloseCall({ payer: solver.address, payee: poor.address, nonce: 1 })), { code: 'CARRY_REFUSED' })
  await t.rejects(ask(reserveCall({ payer: solver.address, payee: nobody.address, signer: nobody.address, amount: LILY, nonce: 1, expiry: await bank.blockTime() + 1000, closeSeconds: 600 })), { code: 'CARRY_REFUSED' }, 'nor does it reserve its money for a stranger')
})

t.test('a stranger cannot have the carrier speak for itself: no call that counts its sender, no empty signature', async (t) => {
  const before = await bank.account(solver.address)
  const { requests } = network.node('thief')
  network.connect('thief', 'solver')
  const ask = async ({ contract, data }: ContractCall): Promise<unknown> => await requests.request('solver', CARRY_PROTOCOL, encodeMessage({ contract, data: hexToBytes(data) }), { signal: within(), maxBytes: 1024 })
  const theft = { kind: ORDER_KINDS.withdraw, account: solver.address, to: nobody.address, number: 0, amount: LILY, nonce: await bank.orderNonce(solver.address) }
  const session = { account: solver.address, operator: nobody.address, cap: LILY, windowSeconds: 60, solversRoot: `0x${'0'.repeat(64)}` as const, notBefore: 0, expiry: await bank.blockTime() + 1000, nonce: 257 }
  for (const call of [orderCall(theft, '0x'), authoriseCall(session, '0x'), withdrawCall(nobody.address, LILY), addBondCall(LILY), depositApprovedCall(nobody.address, LILY), encodeCall('vault', 'revoke', [solver.address, 257n, '0x'])]) {
    await t.rejects(ask(call), { code: 'CARRY_REFUSED' }, call.functionName)
  }
  await t.rejects(ask({ contract: 'vault', functionName: '', data: '0x12345678' }), { code: 'CARRY_REFUSED' })
  await t.rejects(ask(orderCall(theft, `0x${'11'.repeat(65)}`)), { code: 'CHAIN_REVERTED' }, 'and a wrong signature is the contract\'s to refuse')
  t.same(await bank.account(solver.address), before)
})

t.test('calls that fail count against the peer that asked, not against the account that they name', async (t) => {
  clockMs += 3_600_001
  const asker = (name: string): (call: ContractCall) => Promise<unknown> => {
    const { requests } = network.node(name)
    network.connect(name, 'solver')
    return async ({ contract, data }) => await requests.request('solver', CARRY_PROTOCOL, encodeMessage({ contract, data: hexToBytes(data) }), { signal: within(), maxBytes: 1024 })
  }
  const [griefer, another] = [asker('griefer'), asker('another griefer')]
  const order = (account: Address): ContractCall => orderCall({ kind: ORDER_KINDS.withdraw, account, to: nobody.address, number: 0, amount: 1, nonce: 99 }, `0x${'11'.repeat(65)}`)
  for (let call = 0; call < 6; call++) {
    await t.rejects(griefer(order(poor.address)), { code: 'CHAIN_REVERTED' })
    await t.rejects(griefer(order(nobody.address)), { code: 'CARRY_POOR' })
  }
  await t.rejects(griefer(order(poor.address)), { code: 'CARRY_FULL' })
  for (let call = 0; call < 12; call++) await t.rejects(another(order(poor.address)), { code: 'CHAIN_REVERTED' })
  const chain = carriedChain(own, 'poor')
  for (let job = 50; job < 53; job++) await chain.send(nullifyCall(chain, { creator: poor.address, jobNumber: job, signature: poor.sign(nullifyDigest(chain.domain, { jobNumber: job })) }), { name: 'nullify', signal: within() })
  t.ok(await chain.isNullified(poor.address, 52, 0), 'it is carried all the same')
})

t.test('a hundred peers without money use up what a carrier looks at for strangers, not what it does for whom it has carried', async (t) => {
  const clock = createManualClock()
  const datastore = createMemoryDatastore()
  const budget = createCarryBudget({ clock, datastore })
  const vain = (peer: string, calls: number): void => { for (let call = 0; call < calls; call++) budget.giveBack(budget.take(nobody.address, peer), { isPeersFault: true }) }
  budget.succeeded(budget.take(poor.address, 'known'))
  for (let peer = 0; peer < 100; peer++) vain(`stranger ${peer}`, 12)
  t.throws(() => budget.take(solver.address, 'another stranger'), { code: 'CARRY_FULL' })
  vain('known', 12)
  t.throws(() => budget.take(poor.address, 'known'), { code: 'CARRY_FULL' }, 'its own are counted all the same')
  await budget.save()
  const restarted = createCarryBudget({ clock, datastore })
  await restarted.load()
  for (let peer = 0; peer < 100; peer++) for (let call = 0; call < 12; call++) restarted.giveBack(restarted.take(nobody.address, `stranger ${peer}`), { isPeersFault: true })
  t.throws(() => restarted.take(solver.address, 'another stranger'), { code: 'CARRY_FULL' })
  restarted.take(poor.address, 'known')
  clock.advance(3_600_001)
  budget.take(solver.address, 'another stranger')
  t.end()
})

t.test('who has nothing in the Vault is not carried, nor one account without end', async (t) => {
  const chain = carriedChain(await test.chainFor(nobody), 'nobody')
  const nullify = async (of: Chain, signer: typeof nobody, jobNumber: number, ms: number): Promise<unknown> =>
    await of.send(nullifyCall(of, { creator: signer.address, jobNumber, signature: signer.sign(nullifyDigest(of.domain, { jobNumber })) }), { name: 'nullify', signal: within(ms) })
  await t.rejects(nullify(chain, nobody, 1, 300), { code: 'CHAIN_NO_GAS_MONEY' })
  const creator = carriedChain(own, 'poor')
  clockMs += 3_600_001
  for (let job = 100; job < 112; job++) await nullify(creator, poor, job, 10_000)
  await t.rejects(nullify(creator, poor, 112, 300), { code: 'CHAIN_NO_GAS_MONEY' })
  await (await startCarrier()).stop()
  await startCarrier()
  await t.rejects(nullify(creator, poor, 112, 300), { code: 'CHAIN_NO_GAS_MONEY' }, 'a restart gives nobody more')
  clockMs += 3_600_001
  await nullify(creator, poor, 112, 10_000)
  await t.rejects(creator.send(withdrawCall(poor.address, 1), { name: 'withdraw', signal: within() }), { code: 'CARRY_REFUSED' }, 'a call of one\'s own is refused at once')
})
t.end()
