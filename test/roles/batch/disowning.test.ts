import t from 'tap'
import { zeroHash } from 'viem'
import { commitCall } from '../../../src/chain/batch/calls.ts'
import { layoutBatch } from '../../../src/chain/batch/layout.ts'
import type { Chain, ChainEvent } from '../../../src/chain/chain.ts'
import { createSystemClock } from '../../../src/core/clock.ts'
import { silentLogger } from '../../../src/core/logger.ts'
import { createDisowning, type DisowningComponents } from '../../../src/roles/batch/disowning.ts'
import { createForeignLeaves } from '../../../src/roles/batch/foreign-leaves.ts'
import { createKnownBatches } from '../../../src/roles/batch/known-batches.ts'
import { ACCUSER_STAKE } from '../../../src/roles/batch/stake.ts'
import type { Signer } from '../../../src/identity/signer.ts'
import { createOrders } from '../../../src/roles/orders.ts'
import { BATCHED_LANE, dealIdOf, dealTermsDigest, type Consent } from '../../../src/wire/deal-terms.ts'
import { DEPOSIT, openParty, openSolver, until, type Party } from '../../support/batch-scene.ts'
import type { Hash } from '../../../src/wire/shapes.ts'
import { disownKey } from '../../../src/wire/statement.ts'
import { namedSigner, startTestChain, type TestChain } from '../../support/chain.ts'
import { signDeal } from '../../support/deals.ts'
import { createMemoryDatastore } from '../../support/memory-datastore.ts'

const signal = AbortSignal.timeout(60_000)
const UNBOND_SECONDS = 4000
let test: TestChain
let owner: Party
let rogue: Chain
const events: ChainEvent[] = []
/** Waits at once for what a solver's restart takes, and rests a hundredth. */
const clock = { ...createSystemClock(), now: () => 100 * createSystemClock().now(), wait: async (ms: number, until?: AbortSignal) => { await createSystemClock().wait(Math.min(ms, 10), until) } }
t.before(async () => {
  test = await startTestChain({ parameters: { unbondSeconds: UNBOND_SECONDS } })
  owner = await openParty(test, 'creator', { name: 'owner' })
  rogue = await openSolver(test, 'rogue')
  await test.fund(owner.signer.address, 2 * ACCUSER_STAKE)
  await owner.chain.send(await owner.chain.depositCall(2 * ACCUSER_STAKE), { name: 'deposit', signal })
  owner.chain.onEvent((event) => { events.push(event) })
})
t.teardown(async () => {
  await owner.stop()
  await test.stop()
})
const named = (name: ChainEvent['name']): ChainEvent[] => events.filter((event) => event.name === name)
const fundsOf = async (): Promise<number> => (await owner.chain.session(owner.signer.address, 1)).funds
/** Locks the owner's money in a batch for terms that it never saw; its provider is one of the solver's own making. */
async function lock (slot: number, life: number, price: number, before: (consent: Consent) => Promise<void> = async () => undefined, openBy?: number): Promise<Consent> {
  const now = await owner.chain.blockTime()
  const { consent } = signDeal({ domain: owner.chain.domain, creator: owner.signer, provider: namedSigner('puppet'), now, jobNumber: 33 * (slot + 1), feeTo: rogue.address, core: { lane: BATCHED_LANE, reserve: 0, price, collateral: 0, ...(openBy === undefined ? {} : { openBy }) } })
  await before(consent)
  await rogue.send(commitCall(slot, now + life, layoutBatch(owner.chain.domain, [consent.terms], () => 1)), { name: 'commit', signal })
  return consent
}
/** The deal as its creator has it, with the creator's word or without. */
async function journal ({ terms, creatorSignature, providerSignature }: Consent, isSigned = true): Promise<void> {
  await owner.deals.add({ dealId: dealIdOf(owner.chain.domain, terms.core.creator, terms.core.jobNumber, 0), role: 'creator', state: 'DealNegotiating', epoch: 1, terms, mediators: { mediators: [], weights: [] }, jobRecord: new Uint8Array(), devices: [], peer: 'p', ownSalt: terms.rest.creatorSaltHash, ...(isSigned ? { creatorSignature } : {}), providerSignature, transactions: [], updatedAtMs: 0 })
}
async function watch (t: { teardown: (stop: () => Promise<void>) => void }, datastore: ReturnType<typeof createMemoryDatastore>, askConsent: DisowningComponents['askConsent'], leastSlash = 1, chain: DisowningComponents['chain'] = owner.chain): Promise<() => Promise<void>> {
  const known = createKnownBatches({ datastore }, { role: 'owner' })
  const disowning = createDisowning({ chain, books: [owner.deals], leaves: createForeignLeaves({ datastore, known }), askConsent, signer: owner.signer, clock, logger: silentLogger }, { leastSlash })
  await disowning.start()
  t.teardown(disowning.stop)
  return disowning.stop
}

t.test('an owner disowns a lock that it never signed, also when its node stops in between, and has its money back', async (t) => {
  const datastore = createMemoryDatastore()
  const asked: string[] = []
  const stop = await watch(t, datastore, async (solver) => { asked.push(solver); throw new Error('nothing to show') })
  const before = await owner.chain.account(owner.signer.address)
  await lock(0, 1900, 100)
  t.equal(await fundsOf(), DEPOSIT / 2 - 105)
  await until(() => named('Accused').length > 0)
  t.same(asked, [rogue.address, rogue.address, rogue.address], 'asked first, and not only once')
  await until(() => [...datastore.data.keys()].some((key) => key.startsWith('batch/foreign/')))
  await stop()
  await watch(t, datastore, async () => { throw new Error('not asked again') })
  await test.advance(UNBOND_SECONDS / 8 + 4)
  await until(() => named('Concluded').length > 0)
  await until(() => ![...datastore.data.keys()].some((key) => key.startsWith('batch/')))
  t.equal(await fundsOf(), DEPOSIT / 2)
  const { free } = await owner.chain.account(owner.signer.address)
  t.equal(free, before.free + 105, 'its stake, and what the solver lost')
  t.equal((await rogue.account(rogue.address)).bond, 1_000_000 - 105)
  t.equal(named('Accused').length, 1)
})

t.test('a lock that came after openBy, and one for terms that its creator did not sign, are disowned though the deal is known', async (t) => {
  events.length = 0
  const datastore = createMemoryDatastore()
  const shown = new Map<string, Consent>()
  await watch(t, datastore, async (_solver, dealId) => { const consent = shown.get(dealId); if (consent === undefined) throw new Error('nothing to show'); return consent })
  const now = await owner.chain.blockTime()
  const late = await lock(5, 1900, 100, async (consent) => { await journal(consent) }, now - 1)
  shown.set(dealIdOf(owner.chain.domain, late.terms.core.creator, late.terms.core.jobNumber, 0), late)
  await lock(6, 1900, 100, async (consent) => { await journal(consent, false) })
  await until(() => named('Accused').length === 2)
  await test.advance(UNBOND_SECONDS / 8 + 4)
  await until(() => named('Concluded').length === 2)
  await until(() => ![...datastore.data.keys()].some((key) => key.startsWith('batch/')))
  t.equal(await fundsOf(), DEPOSIT / 2)
})

t.test('what the chain did not tell at once is read again; an accusation that a re-org took back holds up nothing', async (t) => {
  events.length = 0
  const datastore = createMemoryDatastore()
  const asked = new Set<Hash>()
  const sent: string[] = []
  let lose: (event: ChainEvent) => void | Promise<void> = () => undefined
  const chain: DisowningComponents['chain'] = {
    ...owner.chain,
    onLost: (listener) => { lose = listener; return () => undefined },
    transactionData: async (hash) => { if (!asked.has(hash) && asked.add(hash).size > 0) throw new Error('the chain is away'); return await owner.chain.transactionData(hash) },
    send: async (call, options) => sent.push(options.name) > 0 && options.name !== 'expire' ? await Promise.reject(new Error('taken back')) : await owner.chain.send(call, options)
  }
  const stop = await watch(t, datastore, async () => { throw new Error('nothing to show') }, 1, chain)
  await lock(7, 1900, 100)
  const { args } = await until(() => named('BatchCommitted').at(-1)) as { args: { id: Hash } }
  const key = disownKey(args.id, 0)
  await until(() => datastore.data.has(`batch/foreign/${key}`))
  await stop()
  const foreign = createForeignLeaves({ datastore, known: createKnownBatches({ datastore }, { role: 'owner' }) })
  await foreign.load()
  await foreign.change(key, { answerBy: await owner.chain.blockTime() + 1000 })
  await watch(t, datastore, async () => { throw new Error('nothing to show') }, 1, chain)
  sent.length = 0
  await lose({ name: 'Accused', args: { key } } as unknown as ChainEvent)
  await until(() => sent.includes('disown'))
  await test.advance(1910)
  await until(() => named('BatchExpired').length > 0)
  t.equal(await fundsOf(), DEPOSIT / 2)
})

t.test('all locks of a batch are freed in one transaction', async (t) => {
  events.length = 0
  const datastore = createMemoryDatastore()
  const sent: string[] = []
  await watch(t, datastore, async () => { throw new Error('nothing to show') }, 1000, { ...owner.chain, send: async (call, options) => { sent.push(options.name); return await owner.chain.send(call, options) } })
  const now = await owner.chain.blockTime()
  const consents = [1, 2, 3].map((place) => signDeal({ domain: owner.chain.domain, creator: owner.signer, provider: namedSigner('puppet'), now, jobNumber: 320 + place, feeTo: rogue.address, core: { lane: BATCHED_LANE, reserve: 0, price: place, collateral: 0 } }).consent)
  await rogue.send(commitCall(8, now + 1900, layoutBatch(owner.chain.domain, consents.map(({ terms }) => terms), () => 1)), { name: 'commit', signal })
  await until(() => [...datastore.data.keys()].filter((key) => key.startsWith('batch/foreign/')).length === 3)
  await test.advance(1910)
  await until(() => [...datastore.data.keys()].every((key) => !key.startsWith('batch/foreign/')))
  await owner.chain.caughtUp()
  t.same(sent, ['expire'])
  t.equal(await fundsOf(), DEPOSIT / 2)
})

t.test('what a solver shows to be signed, what is not worth it and what ends too soon is not disowned; the owner frees its money at the expiry', async (t) => {
  events.length = 0
  const datastore = createMemoryDatastore()
  const shown: Consent[] = []
  const asked: string[] = []
  let small = ''
  await watch(t, datastore, async (_solver, dealId) => { asked.push(dealId === small ? 'small' : dealId); return await until(() => shown[0]) }, 50)
  shown.push(await lock(1, 1900, 100))
  small = dealIdOf(owner.chain.domain, owner.signer.address, 99, 0)
  await lock(2, 1900, 1)
  await lock(3, UNBOND_SECONDS / 8 - 50, 200)
  await until(() => [...datastore.data.keys()].filter((key) => key.startsWith('batch/foreign/')).length === 3)
  await lock(4, 1900, 100, journal)
  await owner.chain.caughtUp()
  t.equal([...datastore.data.keys()].filter((key) => key.startsWith('batch/foreign/')).length, 3, 'what its journal has is its own')
  await test.advance(1910)
  await until(() => named('BatchExpired').length >= 4)
  t.notOk(asked.includes('small'), 'nobody is asked about what is not worth it')
  t.same(named('Accused'), [])
  t.equal(await fundsOf(), DEPOSIT / 2)
})

t.test('what an operator of its session signed is its owner\'s word; what a stranger signed is not', async (t) => {
  events.length = 0
  const operator = namedSigner('operator')
  const now = await owner.chain.blockTime()
  const session = { account: owner.signer.address, operator: operator.address, cap: 1, windowSeconds: 60, solversRoot: zeroHash, notBefore: 0, expiry: now + 1000, nonce: now * 256 + 2 }
  await createOrders({ chain: owner.chain, signer: owner.signer }).authorise(session, { name: 'authorise', signal })
  const shown = new Map<string, Consent>()
  const asked: string[] = []
  await watch(t, createMemoryDatastore(), async (_solver, dealId) => { asked.push(dealId); return await until(() => shown.get(dealId)) })
  const sign = async (slot: number, signer: Signer): Promise<void> => {
    const consent = await lock(slot, 1900, 100)
    const { creator, jobNumber } = consent.terms.core
    shown.set(dealIdOf(owner.chain.domain, creator, jobNumber, 0), { ...consent, creatorSignature: signer.sign(dealTermsDigest(owner.chain.domain, consent.terms)) })
  }
  await sign(9, operator)
  await sign(10, namedSigner('stranger'))
  const accused = await until(() => named('Accused')[0]) as { args: { key: Hash } }
  const batches = named('BatchCommitted') as Array<{ args: { id: Hash } }>
  await until(() => asked.length === 2)
  t.equal(accused.args.key, disownKey(batches[1]?.args.id ?? '0x', 0))
  await test.advance(1910)
  await until(() => named('BatchExpired').length > 0)
  t.equal(named('Accused').length, 1)
})
