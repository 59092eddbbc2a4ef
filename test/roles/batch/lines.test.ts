import t from 'tap'
import { encodeCall } from '../../../src/chain/encode-call.ts'
import { toAccountSignature } from '../../../src/chain/signing.ts'
import { createManualClock, createSystemClock } from '../../../src/core/clock.ts'
import { errorCode } from '../../../src/core/errors.ts'
import { silentLogger } from '../../../src/core/logger.ts'
import type { Deal } from '../../../src/deal/deal.ts'
import { linesOf, sumOf } from '../../../src/deal/lines.ts'
import type { Signer } from '../../../src/identity/signer.ts'
import type { Batcher } from '../../../src/roles/batch/batcher.ts'
import { createStatements, type Statements } from '../../../src/roles/creator/statements.ts'
import { createVersionOf } from '../../../src/roles/creator/version.ts'
import { findLines } from '../../../src/roles/deal-lines.ts'
import { createSettlement } from '../../../src/roles/provider/settle.ts'
import { cidDigest } from '../../../src/roles/run-job.ts'
import { acceptanceDigest } from '../../../src/wire/deal-messages.ts'
import { moduleVersionDigest, moduleVersionId } from '../../../src/wire/module-version.ts'
import type { Address, Hash } from '../../../src/wire/shapes.ts'
import { linesRootOf, type Line } from '../../../src/wire/statement.ts'
import { CID, hash } from '../../deal/deals.ts'
import { agree, deliver, openBatcher, openParty, openSolver, until, type Party } from '../../support/batch-scene.ts'
import { namedSigner, startTestChain, type TestChain } from '../../support/chain.ts'
import { startLedgers, type TestLedgers } from '../../support/ledgers.ts'
import { signRecord } from '../../support/records.ts'

/** Authors and the pool are paid of batched deals on the real contracts; creator, provider and solver are the node's own parts. */

const PRICE = 1003
const POOL_BP = 100
const [publisher, elder, thief] = [namedSigner('publisher'), namedSigner('elder'), namedSigner('thief')]
const [author, elderAuthor] = [namedSigner('author').address, namedSigner('elder author').address]
let test: TestChain
let [creator, provider]: [Party, Party] = [undefined as never, undefined as never]
let ledgers: TestLedgers
let lines: Line[]
const signal = AbortSignal.timeout(60_000)
const free = async (account: Address): Promise<number> => (await creator.chain.account(account)).free

async function publish (by: Signer, change: { manifest?: Hash, parent?: Hash, payee: Address, royaltyBp: number, name?: string }): Promise<Hash> {
  const version = { publisher: by.address, name: 'hello', tag: 'v1', manifest: cidDigest(CID), parent: hash(0), ...change }
  await creator.chain.send(encodeCall('modules', 'publish', [version, toAccountSignature(by.sign(moduleVersionDigest(creator.chain.domain, version)))]), { name: 'publish', signal })
  return moduleVersionId(version)
}
t.before(async () => {
  test = await startTestChain()
  creator = await openParty(test, 'creator')
  provider = await openParty(test, 'provider')
  ledgers = await startLedgers(test, [creator.signer.address, provider.signer.address, author, elderAuthor, namedSigner('solver').address, namedSigner('gone').address], { tuning: { pollMs: 10 } })
  await publish(thief, { payee: thief.address, royaltyBp: 1000 })
  const parent = await publish(elder, { manifest: hash(1), payee: elderAuthor, royaltyBp: 1000 })
  await publish(publisher, { parent, payee: author, royaltyBp: 250 })
})
t.teardown(async () => {
  await Promise.all([creator.stop(), provider.stop(), ledgers.stop()])
  await test.stop()
})

/** Deals of one batch, started and delivered; those in `lined` have the lines. */
async function committed (batcher: Batcher, solver: Address, jobs: readonly number[], lined: readonly number[]): Promise<Array<{ ofCreator: Deal, ofProvider: Deal }>> {
  const deals = await Promise.all(jobs.map(async (jobNumber) => {
    const own = lined.includes(jobNumber) ? lines : []
    const deal = await agree(creator, provider, { feeTo: solver, jobNumber, core: { price: PRICE, collateral: 2508, reserve: sumOf(own) }, rest: { linesRoot: linesRootOf(own) } })
    for (const [{ deals }, of] of [[creator, deal.ofCreator], [provider, deal.ofProvider]] as const) await deals.update(of, (changed) => { Object.assign(changed, { lines: own }) })
    return deal
  }))
  for (const { gathered } of deals) await batcher.take(gathered)
  for (const { ofCreator, ofProvider, signed } of deals) {
    await until(() => ofCreator.state === 'DealAgreed' && ofProvider.state === 'DealAgreed')
    await Promise.all([deliver(creator.deals, ofCreator, signed), deliver(provider.deals, ofProvider, signed)])
  }
  return deals
}
const tell = async (dealId: Hash, place: Parameters<Party['leaves']['told']>[1]): Promise<void> => {
  for (const party of [creator, provider]) await party.leaves.told(party.deals.get(dealId) as Deal, place)
}
/** What the solver does not take is sent again in no time. */
function statementsTo (batcher: Batcher): Statements {
  const clock = { ...createSystemClock(), now: () => 1000 * createSystemClock().now() }
  return createStatements({ deals: creator.deals, room: { statement: async (_peer, message) => { await batcher.statement(message) } }, chain: creator.chain, peerOf: () => 'solver', signer: creator.signer, clock, logger: silentLogger })
}
/** The creator accepts; what it tells the provider is returned. */
async function accept (deal: Deal, statements: Statements): Promise<Parameters<ReturnType<typeof createSettlement>['accepted']>[0]> {
  const manifest = deal.result?.manifest as Hash
  const acceptance = creator.signer.sign(acceptanceDigest(creator.chain.domain, { dealId: deal.dealId, manifest }))
  const statement = statements.sign(deal)
  await creator.deals.update(deal, (changed) => { Object.assign(changed, { acceptance, statement }) })
  if (statement === undefined) throw new Error('it is no leaf')
  const { leaves, signature, lines: own } = statement
  return { type: 'accept', dealId: deal.dealId, manifest, signature: acceptance, statement: { leaves, signature, ...(own === undefined ? {} : { lines: own }) } }
}

t.test('both parties find the lines of a module on chain; nobody is paid by a version that is not trusted, not there or of another module', async (t) => {
  const records = [thief, publisher].map((by) => ({ record: signRecord(by, 'module', { body: { name: 'hello', tag: 'v1', manifest: CID } }) }))
  const replica = { book: { live: () => records } } as unknown as Parameters<typeof createVersionOf>[0]['replica']
  const clock = createManualClock()
  let reads = 0
  const chain = { moduleVersion: async (id: Hash) => { reads++; return await creator.chain.moduleVersion(id) } }
  const versionOf = createVersionOf({ replica, chain, clock }, { publishers: [elder.address, publisher.address] })
  const version = await versionOf(CID)
  t.equal(version, moduleVersionId({ publisher: publisher.address, name: 'hello', tag: 'v1' }))
  t.equal(await versionOf(CID), version)
  t.equal(reads, 1, 'asked for once in a while')
  t.equal(await createVersionOf({ replica, chain, clock }, { publishers: [elder.address] })(CID), hash(0))
  lines = await findLines(provider, { version, manifest: CID, price: PRICE, poolBp: POOL_BP })
  t.same(lines, [{ payee: author, amount: 25 }, { payee: elderAuthor, amount: 100 }, { payee: `0x${'0'.repeat(40)}`, amount: 10 }])
  t.same(await findLines(provider, { version: hash(0), manifest: CID, price: PRICE, poolBp: undefined }), [])
  await t.rejects(findLines(provider, { version: hash(7), manifest: CID, price: PRICE, poolBp: 0 }), { code: 'DEAL_WRONG_VERSION' })
  await t.rejects(findLines(provider, { version: moduleVersionId({ publisher: elder.address, name: 'hello', tag: 'v1' }), manifest: CID, price: PRICE, poolBp: 0 }), { code: 'DEAL_WRONG_VERSION' })
})

t.test('an author is paid to the nLILY, once for each deal, and the ledgers explain it', async (t) => {
  const chain = await openSolver(test)
  const batcher = await openBatcher(test, { chain, tell })
  t.teardown(batcher.stop)
  const before = { author: await free(author), elder: await free(elderAuthor), pool: await creator.chain.pool() }
  const fundsOf = async ({ chain: own, signer }: Party): Promise<number> => (await own.session(signer.address, 1)).funds
  const funds = [await fundsOf(creator), await fundsOf(provider)]
  const [first, second, plain] = await committed(batcher, chain.address, [1, 2, 3], [1, 2]) as [{ ofCreator: Deal, ofProvider: Deal }, { ofCreator: Deal, ofProvider: Deal }, { ofCreator: Deal, ofProvider: Deal }]
  const statements = statementsTo(batcher)
  const settlement = createSettlement({ deals: provider.deals, leaves: provider.leaves, chain: provider.chain, clock: createSystemClock(), logger: silentLogger }, { signal, settleSeconds: 60 })
  for (const { ofCreator } of [first, plain]) await settlement.accepted(await accept(ofCreator, statements))
  await statements.send(plain.ofCreator)
  await until(() => first.ofCreator.state === 'ResultsAccepted' && plain.ofProvider.state === 'ResultsAccepted')
  t.equal(await free(author) - before.author, 25)
  await settlement.accepted(await accept(second.ofCreator, statements))
  t.same(second.ofCreator.statement?.lines, [lines], 'what is paid is not named again')
  // The solver may not have heard yet that the first is paid.
  await until(async () => { await statements.resend(); return second.ofCreator.state === 'ResultsAccepted' && second.ofProvider.state === 'ResultsAccepted' })
  t.same({ author: await free(author), elder: await free(elderAuthor), pool: await creator.chain.pool() }, { author: before.author + 50, elder: before.elder + 200, pool: before.pool + 20 })
  t.same([await fundsOf(creator), await fundsOf(provider)], [(funds[0] ?? 0) - 3 * (PRICE + 5) - 2 * 135, (funds[1] ?? 0) + 3 * PRICE], 'on top of the price, from the creator alone')
  const views = await ledgers.views()
  t.same(views.filter(({ isEqual }) => !isEqual).map(({ account, sums, chain: held }) => ({ account, sums, chain: held })), [])
  t.same(views.find(({ account }) => account === author)?.entries.map(({ kind, free: amount }) => [kind, amount]), [['line', 25], ['line', 25]])
})

t.test('other lines than the terms pin are refused by solver and provider, and lines of a leaf that is paid by the solver', async (t) => {
  const chain = await openSolver(test, 'strict')
  const batcher = await openBatcher(test, { chain, tell, settleSeconds: 1 })
  t.teardown(batcher.stop)
  const [first, second] = await committed(batcher, chain.address, [33, 34], [33, 34]) as [{ ofCreator: Deal, ofProvider: Deal }, { ofCreator: Deal, ofProvider: Deal }]
  const settlement = createSettlement({ deals: provider.deals, leaves: provider.leaves, chain: provider.chain, clock: createSystemClock(), logger: silentLogger }, { signal, settleSeconds: 60 })
  const statements = statementsTo(batcher)
  const other = { payee: thief.address, amount: 25 }
  for (const changed of [[], [other, ...lines.slice(1)], [...lines, other]]) {
    await creator.deals.update(first.ofCreator, (deal) => { Object.assign(deal, { lines: changed }) })
    const message = await accept(first.ofCreator, statements)
    await t.rejects(settlement.accepted(message), { code: 'DEAL_BAD_LINES' })
    const { leaves, signature, lines: own } = first.ofCreator.statement as NonNullable<Deal['statement']>
    await t.rejects(batcher.statement({ batch: first.ofCreator.batch?.id as Hash, creator: creator.signer.address, leaves, signature, ...(own === undefined ? {} : { lines: own }) }), { code: 'DEAL_BAD_LINES' })
  }
  await creator.deals.update(first.ofCreator, (deal) => { Object.assign(deal, { lines }) })
  const good = await accept(first.ofCreator, statements)
  await t.rejects(settlement.accepted({ ...good, statement: { ...good.statement as NonNullable<typeof good.statement>, signature: provider.signer.sign(hash(1)) } }), { code: 'DEAL_BAD_SIGNATURE' })
  await settlement.accepted(good)
  await statements.send(first.ofCreator)
  // The creator signs for the second before it hears that the first is paid; meanwhile that becomes true.
  await accept(second.ofCreator, statements)
  const late = second.ofCreator.statement as NonNullable<Deal['statement']>
  t.equal(late.lines?.length, 2)
  const before = await free(author)
  await until(() => first.ofCreator.state === 'ResultsAccepted')
  t.equal(await free(author) - before, 25)
  const { batch, leaves, signature, lines: both } = late
  await until(async () => await batcher.statement({ batch, creator: creator.signer.address, leaves, signature, ...(both === undefined ? {} : { lines: both }) }).then(() => false, (error: unknown) => errorCode(error) === 'DEAL_BAD_STATEMENT'))
  t.equal(second.ofCreator.state, 'ResultsSubmitted')
  await until(async () => { await statements.resend(); return second.ofCreator.state === 'ResultsAccepted' })
  t.equal(await free(author) - before, 50)
})

t.test('where the solver is gone the provider settles, and pays the lines', async (t) => {
  const chain = await openSolver(test, 'gone')
  const batcher = await openBatcher(test, { chain, tell })
  const [only] = await committed(batcher, chain.address, [65], [65]) as [{ ofCreator: Deal, ofProvider: Deal }]
  await batcher.stop()
  const settlement = createSettlement({ deals: provider.deals, leaves: provider.leaves, chain: provider.chain, clock: createSystemClock(), logger: silentLogger }, { signal, settleSeconds: 0 })
  const before = await free(author)
  await settlement.settle(await settlement.accepted(await accept(only.ofCreator, statementsTo(batcher))))
  await until(() => only.ofProvider.state === 'ResultsAccepted')
  t.equal(await free(author) - before, 25)
})

t.test('lines of a price add up to what the terms hold', (t) => {
  t.equal(sumOf(linesOf(PRICE, [{ payee: author, bp: 250 }, { payee: elderAuthor, bp: 1000 }], POOL_BP)), 135)
  t.end()
})
