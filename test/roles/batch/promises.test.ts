import t from 'tap'
import { accusePromiseCall } from '../../../src/chain/batch/fault-calls.ts'
import type { Chain, ChainEvent } from '../../../src/chain/chain.ts'
import { createSystemClock } from '../../../src/core/clock.ts'
import { silentLogger } from '../../../src/core/logger.ts'
import type { Deal } from '../../../src/deal/deal.ts'
import { createAccusing, type Accusing } from '../../../src/roles/batch/accusing.ts'
import { ACCUSER_STAKE } from '../../../src/roles/batch/stake.ts'
import { promiseDigest } from '../../../src/wire/broken-promise.ts'
import { dealRestHash, type DealTerms } from '../../../src/wire/deal-terms.ts'
import type { Signature } from '../../../src/wire/shapes.ts'
import { agree, openBatcher, openParty, openSolver, until, type Party } from '../../support/batch-scene.ts'
import { namedSigner, startTestChain, type TestChain } from '../../support/chain.ts'
import { createMemoryDatastore } from '../../support/memory-datastore.ts'

const signal = AbortSignal.timeout(60_000)
/** An accusation may come for a quarter of it, an answer for an eighth. */
const UNBOND_SECONDS = 4000
let test: TestChain
let [creator, provider, poor]: [Party, Party, Party] = [undefined as never, undefined as never, undefined as never]
let accusing: Accusing
const events: ChainEvent[] = []
t.before(async () => {
  test = await startTestChain({ parameters: { unbondSeconds: UNBOND_SECONDS } })
  creator = await openParty(test, 'creator')
  provider = await openParty(test, 'provider')
  // Has an account and no session.
  poor = { ...provider, signer: namedSigner('without a session') }
  await test.fund(creator.signer.address, 2 * ACCUSER_STAKE)
  await creator.chain.send(await creator.chain.depositCall(2 * ACCUSER_STAKE), { name: 'deposit', signal })
  accusing = createAccusing({ deals: creator.deals, chain: creator.chain, clock: createSystemClock(), logger: silentLogger }, { signal })
  creator.chain.onEvent(async (event) => { events.push(event); await accusing.onEvent(event) })
})
t.teardown(async () => {
  await Promise.all([creator.stop(), provider.stop()])
  await test.stop()
})
const promiseBy = (solver: string, { core, rest }: DealTerms): Signature => namedSigner(solver).sign(promiseDigest(creator.chain.domain, core, dealRestHash(rest)))
const named = (name: ChainEvent['name']): ChainEvent[] => events.filter((event) => event.name === name)
const tick = async (): Promise<void> => { await accusing.tick(await creator.chain.blockTime()) }
/** A deal that its solver promised to open until soon, journalled by its creator. */
async function promised (chain: Chain, solver: string, jobNumber: number, change: { core?: Partial<DealTerms['core']>, rest?: Partial<DealTerms['rest']>, by?: Party } = {}): Promise<{ deal: Deal, gathered: Awaited<ReturnType<typeof agree>>['gathered'] }> {
  const openBy = await creator.chain.blockTime() + 10
  const { ofCreator: deal, gathered } = await agree(creator, change.by ?? provider, { feeTo: chain.address, jobNumber, core: { openBy, ...change.core }, rest: { startBy: openBy + 10, ...change.rest } })
  await creator.deals.update(deal, (changed) => { changed.promise = promiseBy(solver, changed.terms) })
  return { deal, gathered }
}

t.test('a creator accuses who broke its promise, once, ends what nobody answered, and is a stake richer at most', async (t) => {
  events.length = 0
  const chain = await openSolver(test, 'breaker', 10_000)
  const before = await creator.chain.account(creator.signer.address)
  const { deal } = await promised(chain, 'breaker', 1)
  const { deal: small } = await promised(chain, 'breaker', 2, { rest: { claimFee: 106 } })
  await tick()
  await test.advance(15)
  await until(() => deal.state === 'Cancelled' && small.state === 'Cancelled')
  await tick()
  t.same(named('Accused'), [], 'a late commit may still be seen')
  await test.advance(60)
  await creator.chain.caughtUp()
  await tick()
  await until(() => deal.accusation)
  await Promise.all([tick(), tick()])
  await creator.chain.caughtUp()
  t.equal(named('Accused').length, 1, 'the small one is not worth it')
  t.equal(creator.deals.get(small.dealId)?.accusation, undefined)
  t.equal((await creator.chain.account(creator.signer.address)).free, before.free - ACCUSER_STAKE)
  await test.advance(UNBOND_SECONDS / 8 + 4)
  await creator.chain.caughtUp()
  await tick()
  await until(() => deal.accusation?.end)
  t.match(deal.accusation, { end: 'slashed' })
  t.equal((await creator.chain.account(creator.signer.address)).free, before.free + 105, 'its stake, and what price and fee are')
  t.equal((await chain.account(chain.address)).bond, 10_000 - 105)
})

t.test('a solver whose leaf was void answers, also when it was away, from a slot that it keeps as long as that', async (t) => {
  events.length = 0
  const chain = await openSolver(test, 'honest')
  const datastore = createMemoryDatastore()
  const first = await openBatcher(test, { chain, datastore })
  const { deal, gathered } = await promised(chain, 'honest', 33, { by: poor })
  await first.take(gathered)
  await until(() => deal.voidIn)
  await first.stop()
  await test.advance(100)
  await until(() => deal.state === 'Cancelled')
  await tick()
  t.same(named('Accused'), [], 'its creator saw that the leaf was void')
  // Another accuses all the same.
  await creator.chain.send(accusePromiseCall(gathered, deal.promise as Signature), { name: 'accuse', signal })
  const second = await openBatcher(test, { chain, datastore })
  t.teardown(second.stop)
  await until(() => named('Answered').length > 0)
  const { deal: next, gathered: nextGathered } = await promised(chain, 'honest', 34)
  await second.take(nextGathered)
  await until(() => next.batch)
  t.equal((await creator.leaves.batchOf(next)).slot, 1, 'the slot of the void leaf is not used again')
  t.match(await chain.account(chain.address), { bond: 1_000_000, free: ACCUSER_STAKE })
})

t.test('a void leaf that its creator reads of late keeps its solver from being accused, until a re-org takes that commit back', async (t) => {
  events.length = 0
  const chain = await openSolver(test, 'late-read')
  const batcher = await openBatcher(test, { chain })
  t.teardown(batcher.stop)
  const { deal, gathered } = await promised(chain, 'late-read', 65, { by: poor })
  await batcher.take(gathered)
  const id = await until(() => deal.voidIn)
  await test.advance(100)
  await until(() => deal.state === 'Cancelled')
  const [committed] = named('BatchCommitted') as [ChainEvent]
  // As it is where the chain was away: the deal was given up first.
  await creator.deals.update(deal, (changed) => { delete changed.voidIn })
  await creator.leaves.onEvent(committed)
  t.equal(deal.voidIn, id)
  await tick()
  t.same(named('Accused'), [])
  await creator.leaves.onLost({ ...committed, name: 'BatchSettled', args: { id, leaves: 2n } } as ChainEvent)
  t.equal(deal.voidIn, id, 'another leaf\'s end does not matter')
  await creator.leaves.onLost(committed)
  t.equal(deal.voidIn, undefined)
  await creator.leaves.onEvent(committed)
})

t.test('what a re-org takes back of an accusation is done again', async (t) => {
  events.length = 0
  const chain = await openSolver(test, 'lucky', 10_000)
  const { deal } = await promised(chain, 'lucky', 97)
  await test.advance(100)
  await until(() => deal.state === 'Cancelled')
  const sent: string[] = []
  const counting: Chain = { ...creator.chain, send: async (call, options) => { sent.push(options.name); return await creator.chain.send(call, options) } }
  const twice = createAccusing({ deals: creator.deals, chain: counting, clock: createSystemClock(), logger: silentLogger }, { signal })
  const look = async (): Promise<void> => { await twice.tick(await creator.chain.blockTime()) }
  await look()
  t.same(sent, ['accuse-promise'])
  const accused = await until(() => named('Accused')[0])
  await twice.onLost(accused)
  t.equal(deal.accusation, undefined)
  // The same transaction lands again in another block.
  await twice.onEvent(accused)
  await test.advance(UNBOND_SECONDS / 8 + 4)
  await creator.chain.caughtUp()
  await look()
  t.match(deal.accusation, { end: 'slashed' })
  const concluded = await until(() => named('Concluded')[0])
  await twice.onLost(concluded)
  t.equal(deal.accusation?.end, undefined)
  await twice.onEvent({ ...accused, name: 'Answered', args: { key: '0x' } } as unknown as ChainEvent)
  t.equal(deal.accusation?.end, undefined, 'another accusation is none of ours')
  await look()
  t.same(sent, ['accuse-promise', 'conclude-promise', 'conclude-promise'], 'it is ended again')
})

t.test('nobody is accused whose deal the creator took back or cannot stake for, nor whose void leaf is only about to be read', async (t) => {
  events.length = 0
  const chain = await openSolver(test, 'innocent', 10_000)
  const sent: string[] = []
  let told = async (): Promise<void> => undefined
  const counting: Chain = { ...creator.chain, caughtUp: async () => { await creator.chain.caughtUp(); await told() }, send: async (call, options) => { if (options.name === 'accuse-promise') sent.push(options.name); return await creator.chain.send(call, options) } }
  const one = async (change: Partial<Chain> = {}): Promise<void> => { await createAccusing({ deals: creator.deals, chain: { ...counting, ...change }, clock: createSystemClock(), logger: silentLogger }, { signal }).tick(await creator.chain.blockTime()) }
  const { deal } = await promised(chain, 'innocent', 129)
  await test.advance(100)
  await until(() => deal.state === 'Cancelled')
  await one({ isNullified: async () => true })
  await one({ account: async (account) => ({ ...await creator.chain.account(account), ...(account === chain.address ? {} : { free: ACCUSER_STAKE - 1 }) }) })
  await one({ account: async (account) => ({ ...await creator.chain.account(account), ...(account === chain.address ? { bond: 0, unbonding: 0 } : {}) }) })
  t.same(sent, [])
  told = async () => { await creator.deals.update(deal, (changed) => { changed.voidIn = deal.dealId }) }
  await one()
  t.same(sent, [])
})
