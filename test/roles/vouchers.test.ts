import t from 'tap'
import type { Chain } from '../../src/chain/chain.ts'
import { createManualClock } from '../../src/core/clock.ts'
import { redeemCall } from '../../src/chain/vouchers/calls.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { RoleError } from '../../src/roles/errors.ts'
import { createChannels } from '../../src/roles/vouchers/channels.ts'
import { createVoucherGuard } from '../../src/roles/vouchers/guard.ts'
import { createPurse, type Purse } from '../../src/roles/vouchers/purse.ts'
import { createTill, type Till } from '../../src/roles/vouchers/till.ts'
import type { Datastore } from '../../src/store/datastore.ts'
import type { Address } from '../../src/wire/shapes.ts'
import { voucherDigest, type SignedVoucher } from '../../src/wire/voucher.ts'
import { namedSigner, startTestChain, type TestChain } from '../support/chain.ts'
import { createMemoryDatastore } from '../support/memory-datastore.ts'

/** A payer and a payee over a real chain; the manual clock says how old what they know of channels is. */

const [payer, payee] = [namedSigner('payer'), namedSigner('payee')]
const clock = createManualClock()
let test: TestChain
let ofPayer: Chain
let ofPayee: Chain
type Disk = Pick<Datastore, 'get' | 'put' | 'delete' | 'entries'>
let payers: Disk
let payees: Disk
t.before(async () => {
  test = await startTestChain()
  await test.fund(payer.address, 100_000)
  await test.fund(payee.address)
  ;[ofPayer, ofPayee] = await Promise.all([test.chainFor(payer), test.chainFor(payee)])
  await ofPayer.send(await ofPayer.depositCall(100_000), { name: 'deposit', signal: signal() })
})
t.teardown(async () => { await test.stop() })
t.beforeEach(() => { [payers, payees] = [createMemoryDatastore(), createMemoryDatastore()] })

const signal = (): AbortSignal => AbortSignal.timeout(30_000)
/** A node that starts anew over the same disk. */
const purse = (): Purse => createPurse({ chain: ofPayer, signer: payer, channels: createChannels({ chain: ofPayer, clock }), datastore: payers })
const till = (minCloseSeconds = 600, chain = ofPayee): Till => createTill({ chain, signer: payee, channels: createChannels({ chain: ofPayee, clock }), datastore: payees, clock }, { minCloseSeconds })
const open = async (amount: number, { seconds = 86_400, closeSeconds = 3600 } = {}): Promise<void> => {
  await purse().open(payee.address, amount, { expiry: await ofPayer.blockTime() + seconds, closeSeconds, signal: signal() })
}
const free = async (): Promise<number> => (await ofPayee.account(payee.address)).free
const end = async (): Promise<void> => { await till().close(payer.address, signal()) }

t.test('vouchers add up over restarts of both, and the highest is redeemed', async (t) => {
  await t.rejects(purse().pay(payee.address, 1), { code: 'VOUCHER_NO_CHANNEL' })
  await open(1000)
  t.same(await till().take(await purse().pay(payee.address, 100)), { payer: payer.address, added: 100, total: 100, left: 900 })
  const second = await purse().pay(payee.address, 50)
  t.equal(second.amount, 150)
  t.match(await till().take(second), { added: 50, total: 150 })
  t.match(await till().take(second), { added: 0, total: 150 }, 'the same once more adds nothing')
  const before = await free()
  await till().redeem(signal())
  t.equal(await free() - before, 150)
  await t.rejects(till().redeem(signal()), { code: 'VOUCHER_NOTHING' })
  const kept = await payers.get(await keyOf(payers))
  payers = createMemoryDatastore()
  await payees.put(await keyOf(payees), new TextEncoder().encode(JSON.stringify({ ...second, amount: 100 })))
  t.match(await till().take(await purse().pay(payee.address, 5)), { added: 5, total: 155 }, 'a payer without its disk goes on from what was paid, and a payee with an old one counts nothing twice')
  await payers.put(await keyOf(payers), new TextEncoder().encode(JSON.stringify({ nonce: second.nonce, amount: 100 })))
  t.match(await till().take(await purse().pay(payee.address, 20)), { added: 15, total: 170 }, 'so does one with an old disk')
  await payers.put(await keyOf(payers), kept as Uint8Array)
  t.match(await till().take(await purse().pay(payee.address, 25)), { added: 5, total: 175, left: 825 })
  t.match(await purse().list(), [{ payee: payee.address, signed: 175, channel: { reserved: 1000, paid: 150 } }])
  t.match(await till().list(), [{ payer: payer.address, due: 25 }])
  await end()
  t.equal(await free() - before, 175, 'closing redeems first')
})

const keyOf = async (disk: Disk): Promise<string> => {
  for await (const [key] of disk.entries('voucher/')) return key
  return ''
}

t.test('a voucher is on disk before it is acknowledged, and before it is handed out', async (t) => {
  await open(1000)
  const disk: string[] = []
  const noting = (name: string, { get, put, delete: remove, entries }: Disk): Disk => ({ get, entries, delete: remove, put: async (key, value, options) => { await put(key, value, options); disk.push(`${name}${options?.sync === true ? ', synced' : ''}`) } })
  ;[payers, payees] = [noting('signed', payers), noting('taken', payees)]
  await till().take(await purse().pay(payee.address, 10))
  t.same(disk, ['signed, synced', 'taken, synced'])
  payees = { ...payees, put: async () => { await Promise.reject(new Error('disk full')) } }
  await t.rejects(till().take(await purse().pay(payee.address, 10)), { message: 'disk full' })
  payers = { ...payers, put: async () => { await Promise.reject(new Error('disk full')) } }
  await t.rejects(purse().pay(payee.address, 10), { message: 'disk full' })
  await end()
})

t.test('two vouchers asked for at once are two sums', async (t) => {
  await open(1000)
  const one = purse()
  const amounts = (await Promise.all([1, 2, 3].map(async (amount) => await one.pay(payee.address, amount)))).map(({ amount }) => amount)
  t.same(amounts, [1, 3, 6])
  await end()
})

t.test('a payee refuses what it cannot rely on', async (t) => {
  await open(1000)
  const good = await purse().pay(payee.address, 10)
  const resigned = (change: Partial<SignedVoucher>, by = payer): SignedVoucher => ({ ...good, ...change, signature: by.sign(voucherDigest(ofPayer.domain, { ...good, ...change })) })
  await t.rejects(till().take({ ...good, amount: '10' }), { code: 'WIRE_INVALID' })
  await t.rejects(till().take({ ...good, amount: 11 }), { code: 'VOUCHER_REFUSED', data: { reason: 'signature' } })
  await t.rejects(till().take(resigned({}, payee)), { code: 'VOUCHER_REFUSED', data: { reason: 'signature' } })
  await t.rejects(till().take(resigned({ payee: payer.address })), { code: 'VOUCHER_REFUSED', data: { reason: 'payee' } })
  await t.rejects(till().take(resigned({ nonce: good.nonce + 1 })), { code: 'VOUCHER_REFUSED', data: { reason: 'nonce' } })
  await t.rejects(till().take(resigned({ amount: 1001 })), { code: 'VOUCHER_BEYOND' })
  await t.rejects(till(3601).take(good), { code: 'VOUCHER_REFUSED', data: { reason: 'close-seconds' } })
  await t.rejects(till().take(resigned({ payer: payee.address })), { code: 'VOUCHER_NO_CHANNEL' })
  await test.advance(86_400 - 3500)
  await ofPayee.caughtUp()
  await t.rejects(till().take(good), { code: 'VOUCHER_REFUSED', data: { reason: 'expiry' } }, 'it ends sooner than a closing would')
  t.same(await till().list(), [], 'nothing of it was kept')
  await end()
})

t.test('a channel that was raised counts at once, one that closes within half a minute', async (t) => {
  const before = till()
  await open(100)
  const payers = purse()
  await before.take(await payers.pay(payee.address, 100))
  await t.rejects(payers.pay(payee.address, 1), { code: 'VOUCHER_BEYOND' })
  await payers.open(payee.address, 50, { expiry: 0, closeSeconds: 600, signal: signal() })
  clock.advance(1001)
  t.match(await before.take(await payers.pay(payee.address, 50)), { added: 50, total: 150, left: 0 })
  await payers.close(payee.address, signal())
  await t.rejects(payers.pay(payee.address, 1), { code: 'VOUCHER_REFUSED', data: { reason: 'closing' } })
  clock.advance(30_001)
  await t.rejects(before.take(await heldOf()), { code: 'VOUCHER_REFUSED', data: { reason: 'closing' } })
  await end()
})
const heldOf = async (): Promise<SignedVoucher> => (await till().list())[0]?.voucher as SignedVoucher

t.test('a payer that closes or whose channel is over raises nothing, and its signed sums stay on its disk', async (t) => {
  await open(100)
  const one = purse()
  await one.pay(payee.address, 40)
  await one.close(payee.address, signal())
  await t.rejects(open(50), { code: 'VOUCHER_REFUSED', data: { reason: 'closing' } })
  await end()
  await open(100)
  t.match([...(payers as ReturnType<typeof createMemoryDatastore>).data.values()].map((value) => JSON.parse(new TextDecoder().decode(value)) as unknown), [{ amount: 40 }], 'a re-org may bring the first channel back')
  await test.advance(86_500)
  await ofPayer.caughtUp()
  await t.rejects(open(50), { code: 'VOUCHER_REFUSED', data: { reason: 'expiry' } })
  await purse().close(payee.address, signal())
})

t.test('a payer that redeems its voucher first, or whose channel is over, does not keep the others\' money back', async (t) => {
  const others = await Promise.all(['second payer', 'third payer'].map(async (name) => {
    const signer = namedSigner(name)
    await test.fund(signer.address, 1000)
    const chain = await test.chainFor(signer)
    await chain.send(await chain.depositCall(1000), { name: 'deposit', signal: signal() })
    return createPurse({ chain, signer, channels: createChannels({ chain, clock }), datastore: createMemoryDatastore() })
  }))
  const [second, third] = others as [Purse, Purse]
  const seconds = async (purse: Purse, after: number): Promise<void> => { await purse.open(payee.address, 500, { expiry: await ofPayee.blockTime() + after, closeSeconds: 600, signal: signal() }) }
  await open(1000)
  await seconds(second, 86_400)
  await seconds(third, 1000)
  const one = till()
  for (const [each, amount] of [[purse(), 10], [second, 20], [third, 40]] as const) await one.take(await each.pay(payee.address, amount))
  await test.advance(1001)
  await ofPayee.caughtUp()
  const before = await free()
  const held = await one.list()
  t.same(held.map(({ due }) => due).sort((a, b) => a - b), [0, 10, 20], 'what is over pays nothing')
  // The chain refuses all of a transaction in which one voucher pays nothing.
  const rushed = held.find(({ due }) => due === 10)?.voucher as SignedVoucher
  const late = { ...ofPayee, send: async (...args: Parameters<Chain['send']>) => {
    if (args[0].functionName === 'multicall') await ofPayer.send(redeemCall(rushed), { name: 'redeem', signal: signal() })
    return await ofPayee.send(...args)
  } }
  t.equal((await till(600, late).redeem(signal())).length, 1)
  t.equal(await free() - before, 30)
  const guard = createVoucherGuard({ chain: ofPayee, channels: createChannels({ chain: ofPayee, clock }), till: one, clock, logger: silentLogger })
  await guard.start()
  clock.advance(30_000)
  await guard.stop()
  t.same((await one.list()).map(({ voucher }) => voucher.amount).sort((a, b) => a - b), [10, 20], 'what is over is not kept')
  await end()
})

t.test('a node that closes pays itself what it was just taking, and takes no voucher of the channel any more', async (t) => {
  await open(1000)
  const { put } = payees
  const writing = Promise.withResolvers<undefined>()
  payees.put = async (...args) => { await writing.promise; await put(...args) }
  const one = till()
  const before = await free()
  const taking = one.take(await purse().pay(payee.address, 10))
  const closing = one.close(payer.address, signal())
  await ofPayee.channel(payer.address, payee.address)
  writing.resolve(undefined)
  await Promise.all([taking, closing])
  t.equal(await free() - before, 10)
  await open(1000)
  const stale = createChannels({ chain: ofPayee, clock })
  const two = createTill({ chain: ofPayee, signer: payee, channels: { of: stale.of, forget: () => undefined }, datastore: payees, clock }, { minCloseSeconds: 600 })
  // As a chain has it whose newest blocks are not final: open.
  const voucher = await purse().pay(payee.address, 10)
  await two.take(voucher)
  await two.close(payer.address, signal())
  await t.rejects(two.take(voucher), { code: 'VOUCHER_REFUSED', data: { reason: 'closing' } })
})

t.test('a payee whose calls others send signs the closing only when its redemption is final', async (t) => {
  await open(1000)
  await till().take(await purse().pay(payee.address, 10))
  const sent: string[] = []
  const carried = { ...ofPayee, send: async (...[call, options]: Parameters<Chain['send']>) => {
    if (call.functionName === 'multicall') throw new RoleError('CARRY_REFUSED', 'it has no ETH')
    sent.push(call.functionName)
    return await ofPayee.send(call, options)
  } }
  const looks: number[] = []
  const real = createChannels({ chain: ofPayee, clock })
  // The first look at finality is from before the redemption.
  const channels = { ...real, of: async (...args: Parameters<typeof real.of>) => {
    const channel = await real.of(...args)
    looks.push(sent.length)
    return looks.length === 1 ? { ...channel, paid: 0 } : channel
  } }
  await createTill({ chain: carried, signer: payee, channels, datastore: payees, clock: { ...clock, wait: async () => undefined } }, { minCloseSeconds: 600 }).close(payer.address, signal())
  t.same([sent, looks], [['redeem', 'close'], [1, 1]])
})

t.test('whoever names payers fills no memory', async (t) => {
  let reads = 0
  const channels = createChannels({ chain: { ...ofPayee, caughtUp: async () => undefined, channel: async () => { reads++; return await Promise.resolve({} as never) } }, clock })
  const named = (index: number): Address => `0x${index.toString(16).padStart(40, '0')}`
  for (let index = 0; index < 1100; index++) await channels.of(named(index), payee.address)
  await channels.of(named(1099), payee.address)
  t.equal(reads, 1100, 'the newest are known')
  await channels.of(named(0), payee.address)
  t.equal(reads, 1101, 'the oldest were forgotten')
})

t.test('a node redeems by itself when the payer closes, and before the channel ends', async (t) => {
  const guard = createVoucherGuard({ chain: ofPayee, channels: createChannels({ chain: ofPayee, clock }), till: till(), clock, logger: silentLogger })
  await guard.start()
  const redeemed = async (): Promise<void> => {
    await new Promise<void>((resolve) => { const stop = ofPayee.onEvent((event) => { if (event.name === 'Redeemed' && event.blockNumber > from) { stop(); resolve() } }) })
  }
  await ofPayee.caughtUp()
  let from = ofPayee.status().eventsUpTo
  await open(1000)
  await till().take(await purse().pay(payee.address, 70))
  let before = await free()
  let seen = redeemed()
  await purse().close(payee.address, signal())
  await seen
  t.equal(await free() - before, 70, 'at the closing')
  await end()

  await open(1000)
  await till().take(await purse().pay(payee.address, 30))
  await ofPayee.caughtUp()
  from = ofPayee.status().eventsUpTo
  before = await free()
  seen = redeemed()
  await test.advance(86_400 - 250)
  await ofPayee.caughtUp()
  clock.advance(30_000)
  await seen
  t.equal(await free() - before, 30, 'near the end')
  await guard.stop()
  await end()
})
t.end()
