import { readFileSync } from 'node:fs'
import t, { type Test as Tap } from 'tap'
import { hashTypedData } from 'viem'
import { ABIS } from '../../src/chain/abis.ts'
import type { Chain, ContractCall, TxReceipt } from '../../src/chain/chain.ts'
import { toAccountSignature } from '../../src/chain/signing.ts'
import { closeCall, redeemCall, reserveCall, startCloseCall, vouchersTogetherCall } from '../../src/chain/vouchers/calls.ts'
import type { Address, Hash } from '../../src/wire/shapes.ts'
import { channelEndDigest, reservationDigest, voucherDigest, type Reservation, type SignedVoucher } from '../../src/wire/voucher.ts'
import { namedSigner, startTestChain, type TestChain } from '../support/chain.ts'
import { startLedgers, togetherIn, type TestLedgers } from '../support/ledgers.ts'

/** What nodes encode, against what the contract makes of it; everything is sent by a relay that is neither side. */

const [payer, payee, hot] = [namedSigner('payer'), namedSigner('payee'), namedSigner('hot key')]
let test: TestChain
let relay: Chain
let ledgers: TestLedgers
t.before(async () => {
  test = await startTestChain()
  relay = await test.chainFor(namedSigner('relay'))
  await test.fund(relay.address)
  await test.fund(payer.address, 10_000)
  const own = await test.chainFor(payer)
  await own.send(await own.depositCall(10_000), { name: 'deposit', signal: AbortSignal.timeout(10_000) })
  ledgers = await startLedgers(test, [payer.address, payee.address])
})
t.teardown(async () => { await ledgers.stop(); await test.stop() })

const send = async (call: ContractCall): Promise<TxReceipt> => await relay.send(call, { name: call.functionName, signal: AbortSignal.timeout(20_000) })
const pair = { payer: payer.address, payee: payee.address }
const signed = (nonce: number, amount: number): SignedVoucher => ({ ...pair, nonce, amount, signature: hot.sign(voucherDigest(relay.domain, { ...pair, nonce, amount })) })
const reserve = async (reservation: Reservation): Promise<TxReceipt> => await send(reserveCall(reservation, toAccountSignature(payer.sign(reservationDigest(relay.domain, reservation)))))
/** Both ledgers equal the chain, and together they are what the Vault holds. */
async function explained (t: Pick<Tap, 'same' | 'equal'>): Promise<string[][]> {
  const views = await ledgers.views()
  t.same(views.filter(({ isEqual }) => !isEqual).map(({ account, sums, chain }) => ({ account, sums, chain })), [])
  const { token, vault } = test.deployment.contracts
  t.equal(togetherIn(views), Number(await test.clients.viem.readContract({ address: token, abi: ABIS.token, functionName: 'balanceOf', args: [vault] })))
  return views.map(({ entries }) => entries.map(({ kind, free = 0, locked = 0, peer }) => `${kind} ${free} ${locked} ${peer === undefined ? '' : peer === payer.address ? 'payer' : 'payee'}`.trim()))
}

t.test('a wallet that knows only the page signs the digests of the vectors', (t) => {
  const page = readFileSync(new URL('../../protocol/vouchers.md', import.meta.url), 'utf8')
  const { domain: { chainId, market }, reservation, vouchers, startClose, close } = JSON.parse(readFileSync(new URL('../../protocol/vectors/vouchers.json', import.meta.url), 'utf8')) as {
    domain: { chainId: number, market: Address }, reservation: Reservation & { digest: Hash }, vouchers: Array<{ digest: Hash }>, startClose: { digest: Hash }, close: { digest: Hash }
  }
  const typesOn = (name: string): Array<{ name: string, type: string }> => {
    const [, fields = ''] = new RegExp(`^${name}\\(([^)]*)\\)`, 'm').exec(page) ?? []
    return fields.split(',').map((field) => { const [type = '', of = ''] = field.trim().split(' '); return { name: of, type } })
  }
  const domain = { name: 'lilynode', version: '1', chainId, verifyingContract: market }
  const cases = [['Reservation', reservation], ...vouchers.map((voucher) => ['Voucher', voucher] as const), ['StartClose', startClose], ['Close', close]] as const
  for (const [primaryType, { digest, ...message }] of cases) t.equal(hashTypedData({ domain, types: { [primaryType]: typesOn(primaryType) }, primaryType, message }), digest, primaryType)
  t.end()
})

t.test('a channel is opened, raised, paid from and closed by signatures that others send', async (t) => {
  const now = await relay.blockTime()
  const first: Reservation = { ...pair, nonce: 1, signer: hot.address, amount: 1000, expiry: now + 86_400, closeSeconds: 3600 }
  await reserve(first)
  await reserve({ ...first, amount: 1500, expiry: first.expiry + 1 })
  t.same(await relay.channel(payer.address, payee.address), { nonce: 1, reserved: 1500, paid: 0, until: first.expiry + 1, signer: hot.address, closeSeconds: 3600, isClosing: false })
  const { events } = await send(redeemCall(signed(1, 300)))
  t.match(events, [{ contract: 'vouchers', name: 'Redeemed', args: { ...pair, nonce: 1, amount: 300, paid: 300 } }])
  await send(redeemCall(signed(1, 700)))
  t.equal((await relay.account(payee.address)).free, 700, 'the highest counts')
  await t.rejects(send(redeemCall(signed(1, 699))), { code: 'CHAIN_REVERTED', data: { error: 'NothingToRedeem' } })
  const id = { ...pair, nonce: 1 }
  await send(startCloseCall(id, toAccountSignature(payer.sign(channelEndDigest(relay.domain, 'StartClose', id)))))
  t.ok((await relay.channel(payer.address, payee.address)).isClosing)
  await t.rejects(send(closeCall(id)), { code: 'CHAIN_REVERTED', data: { error: 'NotTheAccount' } })
  await send(vouchersTogetherCall([redeemCall(signed(1, 9000)), closeCall(id, toAccountSignature(payee.sign(channelEndDigest(relay.domain, 'Close', id))))]))
  t.equal((await relay.account(payee.address)).free, 1500, 'never more than reserved')
  t.same(await explained(t), [
    ['deposit 10000 0', 'reserve -1000 1000 payee', 'reserve -500 500 payee', 'voucher 0 -300 payee', 'voucher 0 -400 payee', 'voucher 0 -800 payee'],
    ['voucher 300 0 payer', 'voucher 400 0 payer', 'voucher 800 0 payer']
  ])
})

t.test('what is left of an expired channel comes back by anyone, and the next one begins anew', async (t) => {
  const now = await relay.blockTime()
  await reserve({ ...pair, nonce: 2, signer: hot.address, amount: 1000, expiry: now + 1000, closeSeconds: 600 })
  await send(redeemCall(signed(2, 1)))
  await test.advance(1001)
  await t.rejects(send(redeemCall(signed(2, 2))), { code: 'CHAIN_REVERTED', data: { error: 'TooLate' } })
  await send(closeCall({ ...pair, nonce: 2 }))
  t.match(await relay.channel(payer.address, payee.address), { nonce: 2, reserved: 0, until: 0 })
  t.equal((await relay.account(payer.address)).free, 10_000 - 1500 - 1)
  t.same((await explained(t))[0]?.slice(-3), ['reserve -1000 1000 payee', 'voucher 0 -1 payee', 'release 999 -999 payee'])
})
t.end()
