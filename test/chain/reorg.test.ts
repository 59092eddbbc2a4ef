import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { openCall, settleCall } from '../../src/chain/calls.ts'
import type { Chain, TxReceipt } from '../../src/chain/chain.ts'
import { createSystemClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import type { Deal } from '../../src/deal/deal.ts'
import { createJournal } from '../../src/deal/journal.ts'
import { openDealBook } from '../../src/roles/deal-book.ts'
import { createKnownBatches } from '../../src/roles/batch/known-batches.ts'
import { createLeaves } from '../../src/roles/batch/leaves.ts'
import { createDealWatch } from '../../src/roles/deal-watch.ts'
import { acceptanceDigest } from '../../src/wire/deal-messages.ts'
import { namedSigner, startTestChain, type TestChain } from '../support/chain.ts'
import { signDeal, type SignedDeal } from '../support/deals.ts'
import { createMemoryDatastore } from '../support/memory-datastore.ts'

const signal = AbortSignal.timeout(60_000)
const REORG_BLOCKS = 12
const [creator, provider] = [namedSigner('creator'), namedSigner('provider')]
let chain: TestChain
t.before(async () => {
  chain = await startTestChain()
  for (const party of [creator, provider]) {
    await chain.fund(party.address, 1000)
    const own = await chain.chainFor(party)
    await own.send(await own.depositCall(1000), { name: 'deposit', signal })
    await own.stop()
  }
  await mine(4)
})
t.teardown(async () => { await chain.stop() })

const mine = async (blocks: number): Promise<void> => { for (let block = 0; block < blocks; block++) await chain.clients.request('evm_mine', []) }
/** Replaces the newest three blocks, and those down to `receipt`'s, by empty ones; what was in them is gone. */
const reorgUnder = async (receipt: TxReceipt): Promise<void> => {
  const hashAt = async (number: number): Promise<unknown> => (await chain.clients.request<{ hash: string }>('eth_getBlockByNumber', [`0x${number.toString(16)}`, false])).hash
  const [head, before] = [Number(await chain.clients.request('eth_blockNumber', [])), await hashAt(receipt.blockNumber)]
  await chain.clients.request('anvil_reorg', [Math.max(3, head - receipt.blockNumber + 1), []])
  t.not(await hashAt(receipt.blockNumber), before, 'its block was replaced')
}
const until = async (condition: () => boolean): Promise<void> => { while (!condition()) await delay(5) }
/** A new relayer of its own key: whoever it is, the money moves the same way. */
async function relayer (name: string): Promise<Chain> {
  const signer = namedSigner(name)
  await chain.fund(signer.address)
  // Ether that anvil was told to give is taken back with its block like anything else.
  await mine(4)
  return await chain.chainFor(signer)
}
async function watched (jobNumber: number): Promise<{ deal: Deal, signed: SignedDeal, watcher: Chain }> {
  const signer = namedSigner(`watcher ${jobNumber}`)
  const watcher = await chain.chainFor(signer, { tuning: { pollMs: 10, reorgBlocks: REORG_BLOCKS } })
  const signed = signDeal({ domain: watcher.domain, creator, provider, now: await watcher.blockTime(), jobNumber, feeTo: namedSigner('solver').address, rest: { submitSeconds: 2000, judgeSeconds: 1000 } })
  const deals = await openDealBook({ journal: createJournal({ datastore: createMemoryDatastore() }, { role: 'provider' }), clock: createSystemClock() })
  const clock = createSystemClock()
  const leaves = createLeaves({ deals, chain: watcher, clock, logger: silentLogger, known: createKnownBatches({ datastore: createMemoryDatastore() }, { role: 'provider' }), askLeaf: async () => { throw new Error('no leaf is missing') } })
  const watch = createDealWatch({ deals, leaves, chain: watcher, clock, logger: silentLogger }, { onTick: async () => undefined })
  await watch.start()
  t.teardown(watch.stop)
  const { terms, mediators, ownSalt, result } = signed.providerView
  const { creatorSignature, providerSignature } = signed.consent
  const deal = { dealId: signed.dealId, role: 'provider', state: 'DealNegotiating', epoch: 1, terms, mediators, jobRecord: new Uint8Array(), devices: [], peer: '', ownSalt, creatorSignature, providerSignature, transactions: [], updatedAtMs: 0 } as Deal
  if (result !== undefined) deal.result = { ...result, manifestCid: '', outputsCid: '', manifestBytes: new Uint8Array() }
  await deals.add(deal)
  return { deal, signed, watcher }
}
const balances = async (of: Chain): Promise<unknown> => await Promise.all([creator, provider].map(async ({ address }) => { const { free, locked } = await of.account(address); return { free, locked } }))

t.test('three blocks replaced under an open and under a settle, with the sender alive: both stand, paid once', async (t) => {
  const { deal, signed, watcher } = await watched(1)
  const sender = await relayer('living')
  const opened = await sender.send(openCall(sender, signed.consent), { name: 'open', signal })
  await until(() => deal.state === 'DealAgreed')
  await reorgUnder(opened)
  while (await watcher.stateOf(signed.terms) !== 'Open') await delay(5)
  deal.state = 'ResultsSubmitted'
  const manifest = deal.result?.manifest ?? '0x'
  const settled = await sender.send(settleCall(sender, signed.terms, manifest, creator.sign(acceptanceDigest(sender.domain, { dealId: signed.dealId, manifest }))), { name: 'settle', signal })
  await until(() => deal.state === 'ResultsAccepted')
  await reorgUnder(settled)
  while (await watcher.stateOf(signed.terms) !== 'Settled') await delay(5)
  await mine(2 * REORG_BLOCKS)
  await watcher.caughtUp()
  t.equal(deal.state, 'ResultsAccepted', 'nothing was taken back')
  t.same(await balances(watcher), [{ free: 895, locked: 0 }, { free: 1100, locked: 0 }])
  await sender.stop()
})

t.test('with the sender gone the deal stands again where the chain has it, and the same signatures do it again', async (t) => {
  const { deal, signed, watcher } = await watched(2)
  const first = await relayer('dying')
  const opened = await first.send(openCall(first, signed.consent), { name: 'open', signal })
  await until(() => deal.state === 'DealAgreed')
  await first.stop()
  await reorgUnder(opened)
  await mine(2 * REORG_BLOCKS)
  await until(() => (deal.state as string) === 'DealNegotiating')
  t.equal(deal.openedAt, undefined)
  t.same(await balances(watcher), [{ free: 895, locked: 0 }, { free: 1100, locked: 0 }], 'nothing is locked')
  const second = await relayer('second')
  await second.send(openCall(second, signed.consent), { name: 'open', signal })
  await until(() => (deal.state as string) === 'ResultsSubmitted' || deal.state === 'DealAgreed')
  deal.state = 'ResultsSubmitted'
  const manifest = deal.result?.manifest ?? '0x'
  const call = settleCall(second, signed.terms, manifest, creator.sign(acceptanceDigest(second.domain, { dealId: signed.dealId, manifest })))
  await mine(4)
  const settled = await second.send(call, { name: 'settle', signal })
  await until(() => (deal.state as string) === 'ResultsAccepted')
  await second.stop()
  await reorgUnder(settled)
  await mine(2 * REORG_BLOCKS)
  await until(() => (deal.state as string) === 'ResultsSubmitted')
  const third = await relayer('third')
  await third.send(call, { name: 'settle', signal })
  await until(() => (deal.state as string) === 'ResultsAccepted')
  t.same(await balances(watcher), [{ free: 790, locked: 0 }, { free: 1200, locked: 0 }])
})
t.end()
