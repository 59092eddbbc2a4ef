import { decode } from 'cborg'
import t from 'tap'
import { createReads } from '../../../src/chain/reads.ts'
import { createClients } from '../../../src/chain/clients.ts'
import { leavesWord } from '../../../src/deal/batched.ts'
import type { Signer } from '../../../src/identity/signer.ts'
import { statementDigest } from '../../../src/wire/statement.ts'
import type { LeafPlace } from '../../../src/wire/deal-room.ts'
import type { Hash } from '../../../src/wire/shapes.ts'
import { createOwnStore } from '../../../src/roles/batch/own-store.ts'
import { agree, DEPOSIT, openBatcher, openParty, openSolver, until, type Party } from '../../support/batch-scene.ts'
import { namedSigner, startTestChain, type TestChain } from '../../support/chain.ts'
import { createMemoryDatastore } from '../../support/memory-datastore.ts'

let test: TestChain
let [creator, provider]: [Party, Party] = [undefined as never, undefined as never]
const told = new Map<Hash, LeafPlace>()
const tell = async (dealId: Hash, place: LeafPlace): Promise<void> => {
  told.set(dealId, place)
  for (const party of [creator, provider]) {
    const deal = party.deals.get(dealId)
    if (deal !== undefined) await party.leaves.told(deal, place)
  }
}
const statement = (signer: Signer, batch: Hash, leaves: readonly number[]): { batch: Hash, creator: Hash, leaves: Hash, signature: Hash } => ({
  batch, creator: signer.address, leaves: leavesWord(leaves), signature: signer.sign(statementDigest(creator.chain.domain, { batch, creator: signer.address, leaves: BigInt(leavesWord(leaves)), lines: [] }))
})
t.before(async () => {
  test = await startTestChain()
  creator = await openParty(test, 'creator')
  provider = await openParty(test, 'provider')
})
t.teardown(async () => {
  await Promise.all([creator.stop(), provider.stop()])
  await test.stop()
})
const fundsOf = async (party: Party): Promise<number> => (await party.chain.session(party.signer.address, 1)).funds

t.test('deals of one moment are committed in one transaction, open by proof, and are paid by one statement to the last nLILY', async (t) => {
  const chain = await openSolver(test)
  const batcher = await openBatcher(test, { chain, tell })
  t.teardown(batcher.stop)
  const before = await Promise.all([fundsOf(creator), fundsOf(provider)])
  t.same(before, [DEPOSIT / 2, DEPOSIT / 2], 'half of a deposit is for batches')
  const deals = await Promise.all([1, 2, 3].map(async (jobNumber) => await agree(creator, provider, { feeTo: chain.address, jobNumber })))
  await Promise.all(deals.map(async ({ gathered }) => { await batcher.take(gathered) }))
  for (const { ofCreator, ofProvider } of deals) await until(() => ofCreator.state === 'DealAgreed' && ofProvider.state === 'DealAgreed')
  const [first] = deals
  if (first === undefined) return
  t.equal(new Set(deals.map(({ ofCreator }) => ofCreator.batch?.id)).size, 1)
  t.match(first.ofProvider.transactions, [{ name: 'commit', leaves: 3 }])
  t.same(await Promise.all([fundsOf(creator), fundsOf(provider)]), [DEPOSIT / 2 - 3 * 105, DEPOSIT / 2 - 3 * 300])
  t.equal((await chain.account(chain.address)).locked, 3 * 405, 'all of it stands in the solver\'s escrow')
  const id = first.ofCreator.batch?.id as Hash
  await batcher.statement(statement(creator.signer, id, [0, 1, 2]))
  for (const { ofCreator, ofProvider } of deals) await until(() => ofCreator.state === 'ResultsAccepted' && ofProvider.state === 'ResultsAccepted')
  t.same(await Promise.all([fundsOf(creator), fundsOf(provider)]), [DEPOSIT / 2 - 3 * 105, DEPOSIT / 2 + 3 * 100])
  t.match(await chain.account(chain.address), { locked: 0, free: 15 })
})

t.test('what is not the creator\'s own word moves nothing', async (t) => {
  const chain = await openSolver(test, 'careful')
  const batcher = await openBatcher(test, { chain, tell })
  t.teardown(batcher.stop)
  const { gathered, ofCreator } = await agree(creator, provider, { feeTo: chain.address, jobNumber: 33 })
  await batcher.take(gathered)
  await batcher.take(gathered)
  const id = (await until(() => ofCreator.state === 'DealAgreed' && ofCreator.batch)).id
  await t.rejects(batcher.statement({ ...statement(provider.signer, id, [0]), creator: creator.signer.address }), { code: 'DEAL_BAD_SIGNATURE' })
  await t.rejects(batcher.statement(statement(provider.signer, id, [0])), { code: 'DEAL_BAD_STATEMENT' }, 'a provider has no leaf to pay')
  await t.rejects(batcher.statement(statement(creator.signer, id, [0, 1])), { code: 'DEAL_BAD_STATEMENT' }, 'the batch has one leaf')
  await t.rejects(batcher.statement(statement(creator.signer, id, [])), { code: 'DEAL_BAD_STATEMENT' })
  await t.rejects(batcher.statement(statement(creator.signer, told.get(gathered.terms.rest.jobOfferId)?.batch ?? `0x${'9'.repeat(64)}`, [0])), { code: 'DEAL_UNKNOWN' })
  t.throws(() => batcher.leafOf(`0x${'8'.repeat(64)}`), { code: 'DEAL_UNKNOWN' })
  t.equal(ofCreator.state, 'DealAgreed')
  await batcher.statement(statement(creator.signer, id, [0]))
  await until(() => ofCreator.state === 'ResultsAccepted')
  const pair = await Promise.all([34, 35].map(async (jobNumber) => await agree(creator, provider, { feeTo: chain.address, jobNumber })))
  await Promise.all(pair.map(async (deal) => { await batcher.take(deal.gathered) }))
  const both = (await until(() => pair[0]?.ofCreator.state === 'DealAgreed' && pair[0].ofCreator.batch)).id
  await batcher.statement(statement(creator.signer, both, [0]))
  await t.rejects(batcher.statement(statement(creator.signer, both, [1])), { code: 'DEAL_BAD_STATEMENT' }, 'it would take the first back')
  await batcher.statement(statement(creator.signer, both, [0, 1]))
  for (const deal of pair) await until(() => deal.ofCreator.state === 'ResultsAccepted')
})

t.test('of two statements at once the one that says more stays, on disk and in what is paid, whichever the disk takes first', async (t) => {
  const chain = await openSolver(test, 'hurried')
  const datastore = createMemoryDatastore()
  const held: Array<() => void> = []
  const { put } = datastore
  datastore.put = async (key, ...rest) => {
    if (key.includes('/statement/')) await new Promise<void>((resolve) => { held.push(resolve) })
    await put(key, ...rest)
  }
  const batcher = await openBatcher(test, { chain, datastore, tell })
  t.teardown(batcher.stop)
  const pair = await Promise.all([225, 226].map(async (jobNumber) => await agree(creator, provider, { feeTo: chain.address, jobNumber })))
  await Promise.all(pair.map(async ({ gathered }) => { await batcher.take(gathered) }))
  const id = (await until(() => pair.every(({ ofCreator }) => ofCreator.state === 'DealAgreed') && pair[0]?.ofCreator.batch)).id
  let isHeard = false
  const both = Promise.all([[0], [0, 1]].map(async (leaves) => { await batcher.statement(statement(creator.signer, id, leaves)) })).then(() => { isHeard = true })
  await until(() => held.length > 0)
  // The last that came to the disk is the first that it takes.
  await until(() => { held.pop()?.(); return isHeard })
  await both
  for (const { ofCreator } of pair) await until(() => ofCreator.state === 'ResultsAccepted')
  const [kept] = [...datastore.data].filter(([key]) => key.includes('/statement/')).map(([, value]) => decode(value) as { leaves: Hash })
  t.equal(kept?.leaves, leavesWord([0, 1]))
})

t.test('a solver without bond takes none, one whose bond is used up no more', async (t) => {
  const bare = await openSolver(test, 'bare', 0)
  const batcher = await openBatcher(test, { chain: bare })
  t.teardown(batcher.stop)
  const { gathered } = await agree(creator, provider, { feeTo: bare.address, jobNumber: 65 })
  await t.rejects(batcher.assertRoom(gathered), { code: 'DEAL_NO_BATCHES' })
  const small = await openBatcher(test, { chain: await openSolver(test, 'small', 30) })
  t.teardown(small.stop)
  await small.assertRoom(gathered)
  await t.rejects(small.assertRoom({ terms: { ...gathered.terms, core: { ...gathered.terms.core, collateral: 500 } } }), { code: 'DEAL_SOLVER_FULL', data: { need: 605, most: 600 } })
})

t.test('a solver that is killed after its promise commits when it comes back; killed after the commit, it settles', async (t) => {
  const chain = await openSolver(test, 'mortal')
  const datastore = createMemoryDatastore()
  const { gathered, ofCreator } = await agree(creator, provider, { feeTo: chain.address, jobNumber: 97 })
  const lives = { ...chain, send: async () => await new Promise<never>(() => undefined) }
  const first = await openBatcher(test, { chain: lives, datastore })
  await first.take(gathered)
  t.ok([...datastore.data.keys()].some((key) => key.startsWith('batch/gathered/')), 'on disk before the promise')
  const second = await openBatcher(test, { chain, datastore, tell })
  const id = (await until(() => ofCreator.state === 'DealAgreed' && ofCreator.batch)).id
  await second.stop()
  await first.stop()
  const third = await openBatcher(test, { chain, datastore })
  t.teardown(third.stop)
  t.same(third.leafOf(ofCreator.dealId).batch, id, 'it still tells who asks')
  await third.statement(statement(creator.signer, id, [0]))
  await until(() => ofCreator.state === 'ResultsAccepted')
})

t.test('a batch that the chain did not take is gathered anew, and its promises are on disk at every moment', async (t) => {
  const chain = await openSolver(test, 'unlucky')
  const datastore = createMemoryDatastore()
  const isHeld = (): boolean => [...datastore.data.keys()].some((key) => key.startsWith('batch/gathered/') || key.endsWith('/deals'))
  let moments = 0
  const { batch } = datastore
  datastore.batch = async (...args) => {
    await batch(...args)
    moments++
    t.ok(isHeld(), 'a kill here loses nothing')
  }
  let isRefused = false
  const send: typeof chain.send = async (...args) => {
    if (isRefused) return await chain.send(...args)
    isRefused = true
    throw new Error('the fees rose beyond the limit')
  }
  const batcher = await openBatcher(test, { chain: { ...chain, send }, datastore, tell })
  t.teardown(batcher.stop)
  const { gathered, ofCreator } = await agree(creator, provider, { feeTo: chain.address, jobNumber: 257 })
  await batcher.take(gathered)
  await until(() => ofCreator.state === 'DealAgreed')
  t.equal(moments, 3, 'put, forgotten, and put again')
})

t.test('a deal that no batch takes is refused; one that is on disk all the same does not keep the others out', async (t) => {
  const chain = await openSolver(test, 'halving')
  const datastore = createMemoryDatastore()
  const deals = await Promise.all([161, 162, 163].map(async (jobNumber) => await agree(creator, provider, { feeTo: chain.address, jobNumber, ...(jobNumber === 162 ? { core: { price: 0, fee: 0, collateral: 0 } } : {}) })))
  const store = createOwnStore({ datastore }, { domain: chain.domain })
  for (const { gathered } of deals) await store.gather(gathered)
  const batcher = await openBatcher(test, { chain, datastore, tell })
  t.teardown(batcher.stop)
  const [first, empty, last] = deals
  await until(() => first?.ofCreator.state === 'DealAgreed' && last?.ofCreator.state === 'DealAgreed')
  t.equal(empty?.ofCreator.state, 'DealNegotiating')
  const { gathered } = await agree(creator, provider, { feeTo: chain.address, jobNumber: 164, core: { price: 0, fee: 0, collateral: 0 } })
  await t.rejects(batcher.take(gathered), { code: 'DEAL_BAD_BATCH' })
  const { gathered: long } = await agree(creator, provider, { feeTo: chain.address, jobNumber: 165, rest: { startBy: await chain.blockTime() + 10_000 } })
  await t.rejects(batcher.take(long), { code: 'DEAL_BAD_BATCH' })
})

t.test('a solver promises nothing that it could neither keep nor answer for', async (t) => {
  const chain = await openSolver(test, 'cautious')
  const slow = await openBatcher(test, { chain, pace: { quietMs: 1000, mostMs: 10_000 } })
  t.teardown(slow.stop)
  const { gathered } = await agree(creator, provider, { feeTo: chain.address, jobNumber: 193 })
  const { core } = gathered.terms
  const now = await chain.blockTime()
  const refused = async (change: Partial<typeof core>, why: string): Promise<void> => { await t.rejects(slow.take({ ...gathered, terms: { ...gathered.terms, core: { ...core, ...change } } }), { code: 'DEAL_BAD_BATCH' }, why) }
  await refused({ provider: core.creator }, 'a deal with oneself stands in no leaf that a contract takes')
  await refused({ collateral: 249 }, 'nor does one below 2.5 times its price')
  await refused({ openBy: now + 45 }, 'five gatherings take longer')
  await slow.take(gathered)
  const { gathered: other } = await agree(creator, provider, { feeTo: chain.address, jobNumber: 193, core: { price: 99 } })
  await t.rejects(slow.take(other), { code: 'DEAL_TERMS_DIFFER' }, 'only one of both could be committed')
  await slow.take(gathered)
})

t.test('of two sets of terms that come at once one is promised, when it is on disk', async (t) => {
  const chain = await openSolver(test, 'twice')
  const datastore = createMemoryDatastore()
  const { put } = datastore
  const writing = Promise.withResolvers<undefined>()
  datastore.put = async (...args) => { await writing.promise; await put(...args) }
  const batcher = await openBatcher(test, { chain, datastore })
  t.teardown(batcher.stop)
  const { gathered } = await agree(creator, provider, { feeTo: chain.address, jobNumber: 225 })
  const { gathered: other } = await agree(creator, provider, { feeTo: chain.address, jobNumber: 225, core: { price: 99 } })
  let taken = 0
  const both = [gathered, gathered].map(async (deal) => { await batcher.take(deal); taken++ })
  await t.rejects(batcher.take(other), { code: 'DEAL_TERMS_DIFFER' })
  await chain.blockTime()
  t.equal(taken, 0)
  writing.resolve(undefined)
  await Promise.all(both)
})

t.test('a leaf whose owner has no session is void, the others of the batch open', async (t) => {
  const chain = await openSolver(test, 'mixed')
  const batcher = await openBatcher(test, { chain, tell })
  t.teardown(batcher.stop)
  const poor = { ...provider, signer: namedSigner('without a session') }
  const bad = await agree(creator, poor, { feeTo: chain.address, jobNumber: 129 })
  const good = await agree(creator, provider, { feeTo: chain.address, jobNumber: 130 })
  await Promise.all([batcher.take(bad.gathered), batcher.take(good.gathered)])
  await until(() => good.ofCreator.state === 'DealAgreed')
  t.match(bad.ofCreator, { state: 'DealNegotiating', batch: undefined })
  t.throws(() => batcher.leafOf(bad.signed.dealId), { code: 'DEAL_UNKNOWN' })
  const reads = createReads({ clients: createClients({ rpcUrls: [test.rpcUrl], chainId: 31_337, requestTimeoutMs: 5000 }) }, test.deployment)
  t.equal(await reads.isNullified(creator.signer.address, 129, 0), false, 'its attempt can still be opened')
})
