import t from 'tap'
import { commitCall } from '../../../src/chain/batch/calls.ts'
import { layoutBatch } from '../../../src/chain/batch/layout.ts'
import type { Chain, ChainEvent } from '../../../src/chain/chain.ts'
import { createSystemClock } from '../../../src/core/clock.ts'
import { silentLogger } from '../../../src/core/logger.ts'
import { createDisowning, type DisowningComponents } from '../../../src/roles/batch/disowning.ts'
import { createForeignLeaves } from '../../../src/roles/batch/foreign-leaves.ts'
import { createKnownBatches } from '../../../src/roles/batch/known-batches.ts'
import { ACCUSER_STAKE } from '../../../src/roles/batch/stake.ts'
import { BATCHED_LANE, dealIdOf, type Consent } from '../../../src/wire/deal-terms.ts'
import { DEPOSIT, openParty, openSolver, until, type Party } from '../../support/batch-scene.ts'
import { namedSigner, startTestChain, type TestChain } from '../../support/chain.ts'
import { signDeal } from '../../support/deals.ts'
import { createMemoryDatastore } from '../../support/memory-datastore.ts'

const signal = AbortSignal.timeout(60_000)
const UNBOND_SECONDS = 4000
let test: TestChain
let owner: Party
let rogue: Chain
const events: ChainEvent[] = []
/** Waits at once for what a solver's restart takes. */
const clock = { ...createSystemClock(), wait: async (ms: number, until?: AbortSignal) => { await createSystemClock().wait(Math.min(ms, 10), until) } }
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
async function lock (slot: number, life: number, price: number, before: (consent: Consent) => Promise<void> = async () => undefined): Promise<Consent> {
  const now = await owner.chain.blockTime()
  const { consent } = signDeal({ domain: owner.chain.domain, creator: owner.signer, provider: namedSigner('puppet'), now, jobNumber: 33 * (slot + 1), feeTo: rogue.address, core: { lane: BATCHED_LANE, reserve: 0, price, collateral: 0 } })
  await before(consent)
  await rogue.send(commitCall(slot, now + life, layoutBatch(owner.chain.domain, [consent.terms], () => 1)), { name: 'commit', signal })
  return consent
}
async function watch (t: { teardown: (stop: () => Promise<void>) => void }, datastore: ReturnType<typeof createMemoryDatastore>, askConsent: DisowningComponents['askConsent'], leastSlash = 1): Promise<() => Promise<void>> {
  const known = createKnownBatches({ datastore }, { role: 'owner' })
  const disowning = createDisowning({ chain: owner.chain, books: [owner.deals], leaves: createForeignLeaves({ datastore, known }), askConsent, signer: owner.signer, clock, logger: silentLogger }, { leastSlash })
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

t.test('what a solver shows to be signed, what is not worth it and what ends too soon is not disowned; the owner frees its money at the expiry', async (t) => {
  events.length = 0
  const datastore = createMemoryDatastore()
  const shown: Consent[] = []
  await watch(t, datastore, async () => await until(() => shown[0]), 50)
  shown.push(await lock(1, 1900, 100))
  await lock(2, 1900, 1)
  await lock(3, UNBOND_SECONDS / 8 - 50, 200)
  await until(() => [...datastore.data.keys()].filter((key) => key.startsWith('batch/foreign/')).length === 3)
  await lock(4, 1900, 100, async ({ terms, creatorSignature, providerSignature }) => {
    await owner.deals.add({ dealId: dealIdOf(owner.chain.domain, terms.core.creator, terms.core.jobNumber, 0), role: 'creator', state: 'DealNegotiating', epoch: 1, terms, mediators: { mediators: [], weights: [] }, jobRecord: new Uint8Array(), devices: [], peer: 'p', ownSalt: terms.rest.creatorSaltHash, creatorSignature, providerSignature, transactions: [], updatedAtMs: 0 })
  })
  await owner.chain.caughtUp()
  t.equal([...datastore.data.keys()].filter((key) => key.startsWith('batch/foreign/')).length, 3, 'what its journal has is its own')
  await test.advance(1910)
  await until(() => named('BatchExpired').length >= 4)
  t.same(named('Accused'), [])
  t.equal(await fundsOf(), DEPOSIT / 2)
})
