import t, { type Test } from 'tap'
import { nullifyCall } from '../../../src/chain/calls.ts'
import { challengeLeafCall } from '../../../src/chain/dispute-calls.ts'
import { createManualClock, createSystemClock } from '../../../src/core/clock.ts'
import { silentLogger } from '../../../src/core/logger.ts'
import { leavesWord } from '../../../src/deal/batched.ts'
import type { Deal } from '../../../src/deal/deal.ts'
import type { Batcher } from '../../../src/roles/batch/batcher.ts'
import { createStatements } from '../../../src/roles/creator/statements.ts'
import { createSettlement } from '../../../src/roles/provider/settle.ts'
import type { Chain } from '../../../src/chain/chain.ts'
import { acceptanceDigest, challengeDigest, nullifyDigest } from '../../../src/wire/deal-messages.ts'
import type { LeafPlace } from '../../../src/wire/deal-room.ts'
import { agree, deliver, openBatcher, openParty, openSolver, until, type Party } from '../../support/batch-scene.ts'
import { startTestChain, type TestChain } from '../../support/chain.ts'
import { createMemoryDatastore } from '../../support/memory-datastore.ts'

let test: TestChain
let solver: Chain
let batcher: Batcher
let [creator, provider]: [Party, Party] = [undefined as never, undefined as never]
/** What the solver tells of a leaf, or nothing. */
let tell: (place: LeafPlace) => LeafPlace | undefined = (place) => place
/** The provider reads no batch before. */
let reading: Promise<void> = Promise.resolve()
let jobNumber = 0
t.before(async () => {
  test = await startTestChain({ parameters: { unbondSeconds: 86_400 } })
  solver = await openSolver(test)
  batcher = await openBatcher(test, {
    chain: solver,
    tell: async (dealId, place) => {
      const said = tell(place)
      for (const { deals, leaves } of [creator, provider]) {
        const deal = deals.get(dealId)
        if (said !== undefined && deal !== undefined) await leaves.told(deal, said).catch(() => undefined)
      }
    }
  })
  creator = await openParty(test, 'creator', { askLeaf: batcher.leafOf, tuning: { reorgBlocks: 12 } })
  provider = await openParty(test, 'provider', { tuning: { reorgBlocks: 12 }, hold: async () => { await reading } })
})
t.teardown(async () => {
  await Promise.all([creator.stop(), provider.stop(), batcher.stop()])
  await test.stop()
})
const signal = AbortSignal.timeout(120_000)
const moneyOf = async ({ chain, signer }: Party): Promise<number> => (await chain.session(signer.address, 1)).funds + (await chain.account(signer.address)).free
/** A deal that stands in a batch, both sides knowing. */
async function openLeaf (core: object = {}): Promise<Awaited<ReturnType<typeof agree>>> {
  const deal = await agree(creator, provider, { feeTo: solver.address, jobNumber: jobNumber++, core })
  await batcher.take(deal.gathered)
  await until(() => deal.ofCreator.state === 'DealAgreed')
  return deal
}
const settlementOf = (clock = createSystemClock()): ReturnType<typeof createSettlement> => createSettlement({ ...provider, clock, logger: silentLogger }, { signal, settleSeconds: 600 })
const statementFor = (deal: Deal): NonNullable<Deal['statement']> => {
  const made = createStatements({ ...creator, room: { statement: async () => undefined }, peerOf: () => undefined, clock: createSystemClock(), logger: silentLogger }).sign(deal)
  if (made === undefined) throw new Error('no leaf')
  return made
}
const accept = (deal: Deal): Parameters<ReturnType<typeof createSettlement>['accepted']>[0] => {
  const manifest = deal.result?.manifest ?? '0x'
  const { leaves, signature } = statementFor(deal)
  return { type: 'accept', dealId: deal.dealId, manifest, signature: creator.signer.sign(acceptanceDigest(creator.chain.domain, { dealId: deal.dealId, manifest })), statement: { leaves, signature } }
}
const deadline = async (t: Test, seconds: number, deal: Deal, state: Deal['state']): Promise<void> => {
  await test.advance(seconds)
  await until(() => deal.state === state)
  t.equal(deal.state, state)
}

t.test('without the proof, or with one of other terms, a leaf is not open; a party asks until it has it', async (t) => {
  tell = (place) => ({ ...place, proof: [`0x${'5'.repeat(64)}`] })
  const { gathered, ofCreator, ofProvider } = await agree(creator, provider, { feeTo: solver.address, jobNumber: jobNumber++ })
  await batcher.take(gathered)
  await until(() => ofProvider.batch)
  t.match(ofProvider, { state: 'DealNegotiating', batch: { proof: undefined } }, 'the provider heard a wrong proof')
  await t.rejects(provider.leaves.told(ofProvider, { batch: ofProvider.batch?.id ?? '0x', leaf: 1, proof: [] }), { code: 'DEAL_BAD_PROOF' })
  await until(() => ofCreator.state === 'DealAgreed')
  tell = (place) => place
  await provider.leaves.told(ofProvider, batcher.leafOf(ofProvider.dealId))
  t.equal(ofProvider.state, 'DealAgreed')
  await t.rejects(provider.leaves.told({ ...ofProvider, terms: { ...ofProvider.terms, core: { ...ofProvider.terms.core, lane: 1 } } }, batcher.leafOf(ofProvider.dealId)), { code: 'DEAL_BAD_BATCH' })
  const { batch, leaves, signature } = statementFor(ofCreator)
  await batcher.statement({ batch, creator: creator.signer.address, leaves, signature })
  await until(() => ofCreator.state === 'ResultsAccepted' && ofProvider.state === 'ResultsAccepted')
})

t.test('a solver that does not settle: the provider does with the creator\'s statement, once it has waited', async (t) => {
  const { signed, ofProvider, ofCreator } = await openLeaf()
  const before = await moneyOf(provider)
  await until(() => ofProvider.state === 'DealAgreed')
  await Promise.all([deliver(provider.deals, ofProvider, signed), deliver(creator.deals, ofCreator, signed)])
  const clock = createManualClock()
  const settlement = settlementOf(clock)
  const message = accept(ofCreator)
  await t.rejects(settlement.accepted({ ...message, statement: undefined }), { code: 'DEAL_BAD_STATEMENT' })
  await t.rejects(settlement.accepted({ ...message, statement: { leaves: leavesWord([7]), signature: message.signature } }), { code: 'DEAL_BAD_STATEMENT' })
  await t.rejects(settlement.accepted({ ...message, statement: { leaves: leavesWord([0]), signature: message.signature } }), { code: 'DEAL_BAD_SIGNATURE' })
  await settlement.accepted(message)
  await settlement.settle(ofProvider)
  t.equal(ofProvider.state, 'ResultsSubmitted', 'the solver has its time')
  clock.advance(599_000)
  await settlement.accepted(accept(ofCreator))
  clock.advance(1_000)
  await settlement.settle(ofProvider)
  t.equal(ofProvider.state, 'ResultsAccepted')
  t.equal(await moneyOf(provider) - before, 300 + 100)
  await until(() => ofCreator.state === 'ResultsAccepted')
})

t.test('a statement for an id that a re-org took back: the provider claims its leaf and is paid by the acceptance', async (t) => {
  const { signed, ofProvider, ofCreator } = await openLeaf()
  const before = await moneyOf(provider)
  await until(() => ofProvider.state === 'DealAgreed')
  await Promise.all([deliver(provider.deals, ofProvider, signed), deliver(creator.deals, ofCreator, signed)])
  const clock = createManualClock(Date.now())
  const settlement = settlementOf(clock)
  await settlement.accepted(accept(ofCreator))
  ofProvider.statement = { ...ofProvider.statement as NonNullable<Deal['statement']>, batch: `0x${'1'.repeat(64)}` }
  clock.advance(601_000)
  await settlement.settle(ofProvider)
  t.match(ofProvider, { state: 'ResultsSubmitted', batch: { claimedAt: Number } })
  await settlement.settle(ofProvider)
  t.equal(ofProvider.state, 'ResultsAccepted')
  t.equal(await moneyOf(provider) - before, 300 + 100)
})

t.test('a silent creator: the provider claims its leaf, submits, and is paid when the judge window is over', async (t) => {
  const { signed, ofProvider } = await openLeaf()
  await until(() => ofProvider.state === 'DealAgreed')
  await deliver(provider.deals, ofProvider, signed)
  const settlement = settlementOf()
  const { startedAt = 0 } = ofProvider.start ?? {}
  await settlement.submitIfDue(ofProvider, startedAt + 1)
  t.equal(ofProvider.batch?.claimedAt, undefined, 'not before it is due')
  await settlement.submitIfDue(ofProvider, startedAt + 16)
  t.equal(await provider.chain.stateOf(ofProvider.terms), 'Submitted')
  t.match(ofProvider, { state: 'ResultsSubmitted', batch: { claimedAt: Number } })
  await deadline(t, 15, ofProvider, 'ResultsAccepted')
  t.match(ofProvider.transactions.map(({ name }) => name), ['commit', /^(claim|opened)$/, /^submit/], 'one transaction may bring two events')
})

t.test('a provider that started and delivers nothing: the creator claims the leaf and has it slashed', async (t) => {
  const { signed, ofCreator } = await openLeaf()
  const before = await moneyOf(creator)
  await creator.deals.apply(ofCreator, 'started', (changed) => { changed.start = { ...signed.creatorView.start as NonNullable<Deal['start']> } })
  await test.advance(25)
  await until(() => ofCreator.batch?.claimedAt)
  await deadline(t, 15, ofCreator, 'TimedOut')
  t.equal(await moneyOf(creator) - before, 105 + 10, 'its own money and the claim fee')
})

t.test('a wrong result: the leaf is claimed and challenged in one transaction', async (t) => {
  const mediators = { mediators: [solver.address], weights: [1] }
  const deal = await agree(creator, provider, { feeTo: solver.address, jobNumber: jobNumber++, core: { reserve: 30 }, mediators })
  await batcher.take(deal.gathered)
  const { signed, ofCreator } = deal
  await until(() => ofCreator.state === 'DealAgreed')
  await deliver(creator.deals, ofCreator, signed)
  const { consent: { creatorSignature, providerSignature }, creatorView, dealId } = signed
  const signature = creator.signer.sign(challengeDigest(creator.chain.domain, { dealId, manifest: creatorView.result?.manifest ?? '0x', kind: 1 }))
  const receipt = await creator.chain.send(challengeLeafCall(creator.chain, await creator.leaves.openingOf(ofCreator), { ...creatorView, creatorSignature, providerSignature }, signature), { name: 'challenge', signal })
  await creator.leaves.takeReceipt(receipt)
  t.match(ofCreator.batch, { claimedAt: receipt.blockTime })
  await until(() => ofCreator.state === 'ResultsChallenged')
})

t.test('three blocks replaced under a commit and under a settlement: the batch stands again under its new id, and is paid once', async (t) => {
  const mine = async (blocks: number): Promise<void> => { for (let block = 0; block < blocks; block++) await test.clients.request('evm_mine', []) }
  await mine(4)
  // Each block is of another second, so that a commit in another one has another id.
  await test.clients.request('anvil_setBlockTimestampInterval', [1])
  /** Replaces the newest three blocks, and those down to the transaction's. */
  const reorgUnder = async ({ transactions }: Deal, name: string): Promise<void> => {
    const receipt = await test.clients.request<{ blockNumber: string }>('eth_getTransactionReceipt', [transactions.findLast((each) => each.name === name)?.hash])
    const head = await test.clients.request<string>('eth_blockNumber', [])
    await test.clients.request('anvil_reorg', [Math.max(3, Number(head) - Number(receipt.blockNumber) + 1), []])
  }
  /** The solver may hear of its commit after the parties. */
  const solverKnows = ({ dealId, batch }: Deal): boolean => {
    try {
      return batcher.leafOf(dealId).batch === batch?.id
    } catch {
      return false
    }
  }
  const before = await moneyOf(provider)
  const { ofCreator, ofProvider, signed } = await openLeaf()
  const first = ofCreator.batch?.id
  await reorgUnder(ofCreator, 'commit')
  // The solver's own queue sends it again; the parties hear of both, the lost and the new one.
  await until(() => ofCreator.batch !== undefined && ofCreator.batch.id !== first && ofCreator.state === 'DealAgreed')
  await until(() => ofProvider.batch?.id === ofCreator.batch?.id && ofProvider.state === 'DealAgreed' && solverKnows(ofCreator))
  await Promise.all([deliver(provider.deals, ofProvider, signed), deliver(creator.deals, ofCreator, signed)])
  const settlement = settlementOf()
  await settlement.accepted(accept(ofCreator))
  const { batch, leaves, signature } = statementFor(ofCreator)
  await batcher.statement({ batch, creator: creator.signer.address, leaves, signature })
  const paid = async (): Promise<boolean> => ofProvider.state === 'ResultsAccepted' && ofCreator.state === 'ResultsAccepted' && (await moneyOf(provider)) - before === 100
  await until(paid)
  // Now both are taken back, and for longer than anybody waits: the deal was never opened.
  await reorgUnder(ofCreator, 'commit')
  await mine(30)
  const second = statementFor(await until(() => ofCreator.state === 'DealAgreed' && ofProvider.state === 'DealAgreed' && solverKnows(ofCreator) && ofCreator))
  t.not(second.batch, batch)
  await batcher.statement({ ...second, creator: creator.signer.address })
  await until(paid)
  await test.clients.request('anvil_removeBlockTimestampInterval', [])
})

t.test('nobody does anything: after the expiry whoever notices first gives both their money back', async (t) => {
  const before = await Promise.all([moneyOf(creator), moneyOf(provider)])
  const { ofCreator, ofProvider } = await openLeaf()
  t.same(await Promise.all([moneyOf(creator), moneyOf(provider)]), [(before[0] ?? 0) - 105, (before[1] ?? 0) - 300])
  await deadline(t, 600, ofCreator, 'Refunded')
  await until(() => ofProvider.state === 'Refunded')
  t.same(await Promise.all([moneyOf(creator), moneyOf(provider)]), before)
})

t.test('a creator\'s word that comes after the block that it led to opens the deal all the same', async (t) => {
  const deal = await agree(creator, provider, { feeTo: solver.address, jobNumber: jobNumber++ })
  const { creatorSignature } = deal.ofProvider
  await provider.deals.update(deal.ofProvider, (changed) => { delete changed.creatorSignature })
  await batcher.take(deal.gathered)
  await until(() => deal.ofCreator.state === 'DealAgreed')
  await provider.chain.caughtUp()
  await provider.leaves.tick()
  t.equal(deal.ofProvider.batch, undefined)
  await provider.deals.update(deal.ofProvider, (changed) => { Object.assign(changed, { creatorSignature }) })
  await provider.leaves.tick()
  await until(() => deal.ofProvider.state === 'DealAgreed')
})

t.test('the same when the provider\'s node was started anew in between', async (t) => {
  const datastore = createMemoryDatastore()
  const open = async (): Promise<Party> => await openParty(test, 'provider', { name: 'restarted', datastore, askLeaf: batcher.leafOf })
  const before = await open()
  const deal = await agree(creator, before, { feeTo: solver.address, jobNumber: jobNumber++ })
  const { dealId, creatorSignature } = deal.ofProvider
  await before.deals.update(deal.ofProvider, (changed) => { delete changed.creatorSignature })
  await batcher.take(deal.gathered)
  await until(() => deal.ofCreator.state === 'DealAgreed')
  await before.chain.caughtUp()
  await before.stop()
  await before.chain.stop()
  const after = await open()
  t.teardown(after.stop)
  const ofProvider = after.deals.get(dealId) as Deal
  await after.deals.update(ofProvider, (changed) => { Object.assign(changed, { creatorSignature }) })
  await until(() => ofProvider.state === 'DealAgreed')
})

t.test('a job that is taken back after the commit of its deal is bound, however late the batch is read', async (t) => {
  const held = Promise.withResolvers<void>()
  reading = held.promise
  const nullified = Promise.withResolvers<void>()
  t.teardown(provider.chain.onEvent(async (event) => { if (event.name === 'JobNullified') nullified.resolve() }))
  const deal = await openLeaf()
  const number = deal.ofCreator.terms.core.jobNumber
  await creator.chain.send(nullifyCall(creator.chain, { creator: creator.signer.address, jobNumber: number, signature: creator.signer.sign(nullifyDigest(creator.chain.domain, { jobNumber: number })) }), { name: 'nullify', signal })
  await nullified.promise
  await new Promise(setImmediate)
  t.equal(deal.ofProvider.state, 'DealNegotiating', 'it does not know yet')
  held.resolve()
  await until(() => deal.ofProvider.state === 'DealAgreed')
  t.equal(deal.ofCreator.state, 'DealAgreed')
})
