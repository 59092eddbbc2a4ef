import t from 'tap'
import type { Chain } from '../../src/chain/chain.ts'
import { createManualClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { createChannels } from '../../src/roles/vouchers/channels.ts'
import { createVoucherGuard } from '../../src/roles/vouchers/guard.ts'
import { createPurse, type Purse } from '../../src/roles/vouchers/purse.ts'
import { createTill, type Till } from '../../src/roles/vouchers/till.ts'
import type { Datastore } from '../../src/store/datastore.ts'
import { voucherDigest, type SignedVoucher } from '../../src/wire/voucher.ts'
import { namedSigner, startTestChain, type TestChain } from '../support/chain.ts'
import { createMemoryDatastore } from '../support/memory-datastore.ts'

/** A payer and a payee over a real chain; the manual clock says how old what they know of channels is. */

const [payer, payee] = [namedSigner('payer'), namedSigner('payee')]
const clock = createManualClock()
let test: TestChain
let ofPayer: Chain
let ofPayee: Chain
type Disk = Pick<Datastore, 'get' | 'put' | 'entries'>
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
const till = (minCloseSeconds = 600): Till => createTill({ chain: ofPayee, channels: createChannels({ chain: ofPayee, clock }), datastore: payees }, { minCloseSeconds })
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
  t.match(await till().take(await purse().pay(payee.address, 25)), { added: 25, total: 175, left: 825 })
  t.match(await purse().list(), [{ payee: payee.address, signed: 175, channel: { reserved: 1000, paid: 150 } }])
  t.match(await till().list(), [{ payer: payer.address, due: 25 }])
  await end()
  t.equal(await free() - before, 175, 'closing redeems first')
})

t.test('a voucher is on disk before it is acknowledged, and before it is handed out', async (t) => {
  await open(1000)
  const disk: string[] = []
  const noting = (name: string, { get, put, entries }: Disk): Disk => ({ get, entries, put: async (key, value, options) => { await put(key, value, options); disk.push(`${name}${options?.sync === true ? ', synced' : ''}`) } })
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
