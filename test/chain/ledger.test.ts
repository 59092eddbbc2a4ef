import t from 'tap'
import { ABIS } from '../../src/chain/abis.ts'
import { depositApprovedCall } from '../../src/chain/account-calls.ts'
import { claimCall, settleBatchCall, togetherCall } from '../../src/chain/batch/calls.ts'
import { proofOf } from '../../src/chain/batch/tree.ts'
import { openingOf, ownerIndex } from '../../src/chain/batch/layout.ts'
import { finalizeCall, openCall, refundCall, submitCall } from '../../src/chain/calls.ts'
import type { Chain, ContractCall, TxReceipt } from '../../src/chain/chain.ts'
import { challengeCall, ruleCall } from '../../src/chain/dispute-calls.ts'
import { disputeAfter } from '../../src/chain/dispute.ts'
import { encodeCall } from '../../src/chain/encode-call.ts'
import { toContractSignature } from '../../src/chain/signing.ts'
import { entriesOf } from '../../src/chain/ledger/entries.ts'
import type { LedgerView } from '../../src/chain/ledger/entry.ts'
import type { Fact } from '../../src/chain/ledger/fact.ts'
import type { Signer } from '../../src/identity/signer.ts'
import { challengeDigest, verdictDigest } from '../../src/wire/deal-messages.ts'
import { dealIdOf, dealTermsDigest, type DealTerms } from '../../src/wire/deal-terms.ts'
import { disownDigest, statementDigest, type Line } from '../../src/wire/statement.ts'
import type { Address, Hash } from '../../src/wire/shapes.ts'
import { commit, dealsOf, type SentBatch } from '../../bench/gas/batch.ts'
import { createParties, type Parties } from '../../bench/gas/parties.ts'
import { startTestChain, namedSigner, type TestChain } from '../support/chain.ts'
import { signDeal } from '../support/deals.ts'
import { startLedgers, togetherIn, type TestLedgers } from '../support/ledgers.ts'
import { createMemoryDatastore } from '../support/memory-datastore.ts'
import { startRpcProxy } from '../support/rpc-proxy.ts'

const LILY = 1_000_000_000
const author = namedSigner('author').address
let test: TestChain
let parties: Parties
let solver: Chain
let ledgers: TestLedgers
t.before(async () => {
  test = await startTestChain()
  parties = await createParties(test, { creators: 2, providers: 2 })
  solver = parties.solver
  ledgers = await startLedgers(test, everyone())
})
t.teardown(async () => { await ledgers.stop(); await test.stop() })

const send = async (call: ContractCall): Promise<TxReceipt> => await solver.send(call, { name: call.functionName, signal: AbortSignal.timeout(20_000) })
const everyone = (): Address[] => [...parties.creators, ...parties.providers, ...parties.mediators].map(({ address }) => address).concat(solver.address, author)
const signerOf = (address: Address | undefined): Signer => [...parties.creators, ...parties.providers].find((signer) => signer.address === address) as Signer
const batchCall = (functionName: 'disown' | 'concludeDisown' | 'expire', args: readonly unknown[]): ContractCall => encodeCall('batches', functionName, args as never)
/** The creators' statements over `leaves`, each with the line. */
function statements ({ id, batch, deals }: SentBatch, leaves: bigint, line: Line): ContractCall {
  return settleBatchCall(batch, parties.creators.flatMap((creator) => {
    const own = deals.reduce((bits, { core }, leaf) => core.creator === creator.address ? bits | 1n << BigInt(leaf) : bits, 0n) & leaves
    if (own === 0n) return []
    const signature = creator.sign(statementDigest(solver.domain, { batch: id, creator: creator.address, leaves: own, lines: [line] }))
    return [{ owner: ownerIndex(batch, creator.address), leaves: own, lines: [line], signature }]
  }))
}
/** Every ledger equals the chain, and together they are what the Vault holds. */
async function explained (): Promise<LedgerView[]> {
  const views = await ledgers.views()
  t.same(views.filter(({ isEqual }) => !isEqual).map(({ account, sums, chain }) => ({ account, sums, chain })), [])
  const { token, vault } = test.deployment.contracts
  const held = await test.clients.viem.readContract({ address: token, abi: ABIS.token, functionName: 'balanceOf', args: [vault] })
  t.equal(togetherIn(views) + await solver.pool(), Number(held))
  return views
}
const kindsOf = (view: LedgerView | undefined): string[] => [...new Set(view?.entries.map(({ kind }) => kind))].sort()

t.test('a batch that is settled with royalties, claimed, disowned and expired leaf by leaf is explained to the nLILY', async (t) => {
  const wanted = dealsOf(parties, 12, 0, await solver.blockTime() + 100, { mediators: [], weights: [] }).map((terms) => ({ ...terms, core: { ...terms.core, reserve: 1500 } }))
  const sent = await commit(test, parties, wanted)
  const { id, batch, layout, deals } = sent
  await explained()
  await send(togetherCall([statements(sent, 0b1111n, { payee: author, amount: 1000 }), statements(sent, 0b110000n, { payee: author, amount: LILY * 1000 })]))
  await explained()
  const claimed = deals[6] as DealTerms
  const digest = dealTermsDigest(solver.domain, claimed)
  await send(claimCall(openingOf(batch, 6, proofOf(layout.tree, 6)), claimed, signerOf(claimed.core.creator).sign(digest), signerOf(claimed.core.provider).sign(digest)))
  await explained()
  const owner = signerOf((deals[7] as DealTerms).core.creator)
  await send(batchCall('disown', [batch, 7n, owner.address, toContractSignature(owner.sign(disownDigest(solver.domain, id, 7)))]))
  await explained()
  await test.advance(460)
  await send(batchCall('concludeDisown', [batch, 7n]))
  await send(refundCall(solver, { terms: claimed }))
  await explained()
  await test.advance(1700)
  await send(batchCall('expire', [batch, 2n ** 256n - 1n]))
  await explained()
  const views = await explained()
  const of = (address: Address | undefined): LedgerView | undefined => views.find(({ account }) => account === address)
  t.same(of(owner.address)?.entries.find(({ kind }) => kind === 'lock')?.deals, deals.filter(({ core }) => core.creator === owner.address).map(({ core }) => dealIdOf(solver.domain, core.creator, core.jobNumber, core.attempt)), 'a batch names its deals')
  t.same(kindsOf(of(owner.address)), ['compensation', 'deposit', 'lock', 'refund', 'return', 'session', 'stake'])
  t.same(kindsOf(of(claimed.core.provider)), ['claim', 'deposit', 'lock', 'payment', 'refund', 'session'])
  t.same(kindsOf(of(solver.address)), ['bond', 'claim', 'deposit', 'fee', 'lock', 'refund', 'slash'])
  t.same(of(author)?.entries.map(({ kind, free, batch }) => ({ kind, free, batch })), [{ kind: 'line', free: 2000, batch: id }], 'one line of each creator; those of more than is left are left out')
})

t.test('a node that does not know the transaction of an event yet is asked again', async (t) => {
  const proxy = await startRpcProxy(test.rpcUrl)
  t.teardown(proxy.stop)
  const creator = (parties.creators[0] as Signer).address
  const own = await startLedgers(test, [creator], { rpcUrl: proxy.url })
  await own.views()
  let unknown = 1
  proxy.lie = (method) => method === 'eth_getTransactionByHash' && unknown-- > 0 ? null : undefined
  const { id } = await commit(test, parties, dealsOf(parties, 2, 40, await solver.blockTime() + 100, { mediators: [], weights: [] }))
  t.match(await own.views(), [{ isEqual: true, entries: { length: Number } }])
  t.ok(unknown < 0, 'asked again')
  t.equal((await own.views())[0]?.entries.at(-1)?.batch, id)
  await own.stop()
})

t.test('a challenge that takes free money, and a verdict, are entries of the deal', async (t) => {
  const [creator, provider, [mediator]] = [parties.creators[0] as Signer, parties.providers[0] as Signer, parties.mediators]
  const mediators = { mediators: [(mediator as Signer).address], weights: [1] }
  const { dealId, terms, consent, creatorView, salts } = signDeal({ domain: solver.domain, creator, provider, now: await solver.blockTime(), jobNumber: 5000, feeTo: solver.address, mediators, rest: { auditFee: 200 } })
  await send(openCall(solver, consent))
  const manifest = creatorView.result?.manifest as Hash
  const { events } = await send(challengeCall(solver, creatorView, creator.sign(challengeDigest(solver.domain, { dealId, manifest, kind: 1 }))))
  creatorView.dispute = events.reduce(disputeAfter, creatorView.dispute) as NonNullable<typeof creatorView.dispute>
  const evidence = { outcome: 2, evidence: manifest }
  await send(ruleCall(solver, creatorView, salts.provider, [{ seat: 0, ...evidence, signature: (mediator as Signer).sign(verdictDigest(solver.domain, { dealId, manifest, ...evidence })) }]))
  const views = await explained()
  const [ofCreator, ofMediator] = [creator, mediator].map((signer) => views.find(({ account }) => account === signer?.address))
  const of = (view: typeof ofCreator): unknown => view?.entries.filter(({ deal }) => deal === dealId).map(({ kind, free }) => [kind, free])
  t.same(of(ofCreator), [['lock', -135], ['dispute', -180], ['refund', 135 + 180 + 10]])
  t.same(of(ofMediator), [['mediation', 200]])
  t.equal(terms.core.reserve, 30)
})

t.test('what a silent creator pays beyond its reserve is in the entry, though no event says it', async (t) => {
  const [creator, provider] = [parties.creators[1] as Signer, parties.providers[1] as Signer]
  const { dealId, consent, providerView } = signDeal({ domain: solver.domain, creator, provider, now: await solver.blockTime(), jobNumber: 6000, feeTo: solver.address, core: { reserve: 4 } })
  await send(openCall(solver, consent))
  await send(submitCall(solver, providerView))
  await test.advance(20)
  await send(finalizeCall(solver, providerView))
  const views = await explained()
  const of = ({ address }: Signer): unknown => views.find(({ account }) => account === address)?.entries.filter(({ deal }) => deal === dealId).map(({ kind, free, locked }) => [kind, free, locked])
  t.same(of(creator), [['lock', -109, undefined], ['return', -6, undefined]])
  t.same(of(provider), [['lock', -300, 409], ['payment', 410, -409]])
})

t.test('a re-org takes entries back, and a ledger that starts again has what is left', async (t) => {
  const datastore = createMemoryDatastore()
  const tuning = { reorgBlocks: 5 }
  const own = await startLedgers(test, [author], { datastore, tuning })
  const view = async (of: TestLedgers): Promise<LedgerView> => (await of.views())[0] as LedgerView
  const before = await view(own)
  // Its sender is gone when the block is replaced, so the deposit does not come again.
  const sender = await test.chainFor(namedSigner('passing'))
  await test.fund(namedSigner('passing').address, 100)
  for (let block = 0; block < 4; block++) await test.clients.request('evm_mine', [])
  await sender.send(encodeCall('token', 'approve', [test.deployment.contracts.vault, 100n]), { name: 'approve', signal: AbortSignal.timeout(5000) })
  for (let block = 0; block < 4; block++) await test.clients.request('evm_mine', [])
  await sender.send(depositApprovedCall(author, 100), { name: 'deposit', signal: AbortSignal.timeout(5000) })
  await sender.stop()
  t.match((await view(own)).entries.at(-1), { kind: 'deposit', free: 100 })
  await test.clients.request('anvil_reorg', [1, []])
  for (let block = 0; block < 12; block++) { await test.clients.request('evm_mine', []); await view(own) }
  const after = await view(own)
  t.ok(after.isEqual, 'the deposit is gone from chain and ledger')
  t.same(after.entries, before.entries)
  await own.stop()
  const again = await startLedgers(test, [author], { datastore, tuning })
  t.same((await view(again)).entries, before.entries)
  await again.stop()
})

t.test('appeals: the stake, what it costs to lose one, and what the other party gets of it', (t) => {
  const [creator, provider, mediator, dealId, tx] = ['0xc', '0xb', '0xd', '0x1', '0xaa']
  let logIndex = 0
  const fact = (contract: string, name: string, args: object): Fact => ({ event: { id: `${logIndex}`, contract, name, args: { dealId, ...args }, blockNumber: 1, logIndex: logIndex++, blockTime: 1, transactionHash: tx } as never })
  const opened = fact('market', 'DealOpened', { creator, provider, feeTo: '0x0', price: 100, fee: 0, collateral: 250, reserve: 30, lane: 1 })
  const ruled = fact('court', 'Ruled', { outcome: 1, each: 20, paid: [mediator], appealBy: 9 })
  const appealed = fact('court', 'Appealed', { appellant: creator, judgeBy: 99 })
  const paid = { from: 4, to: 8, toProvider: 360, toCreator: 0, toFee: 0, toMediator: 20, toPool: 0 }
  const lost = [opened, ruled, appealed, fact('court', 'AppealEnded', { outcome: 1, overturned: false }), fact('vault', 'Pooled', { amount: 990 }), fact('market', 'DealClosed', paid)]
  const kinds = (account: string, facts: readonly Fact[]): unknown[] => entriesOf({ account: account as Address, rewards: '0x9', minMediatorBond: 1000 }, facts).entries.map(({ kind, free, locked }) => [kind, free, locked])
  t.same(kinds(creator, lost), [['lock', -130, undefined], ['stake', -1000, 1000], ['slash', undefined, -1000]])
  t.same(kinds(provider, lost), [['lock', -250, 380], ['compensation', 10, undefined], ['payment', 360, -380]])
  t.same(kinds(mediator, lost), [['mediation', 20, undefined]])
  const won = [opened, ruled, appealed, fact('court', 'AppealEnded', { outcome: 2, overturned: true }), fact('market', 'DealClosed', { ...paid, to: 9, toProvider: 0, toCreator: 140, toMediator: 0, toPool: 240 })]
  t.same(kinds(creator, won).slice(1), [['stake', -1000, 1000], ['stake', 1000, -1000], ['refund', 140, undefined]])
  t.end()
})
t.end()
