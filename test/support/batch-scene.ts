import { setTimeout as delay } from 'node:timers/promises'
import { zeroHash } from 'viem'
import { addBondCall } from '../../src/chain/account-calls.ts'
import type { Chain } from '../../src/chain/chain.ts'
import type { ChainTuning } from '../../src/chain/options.ts'
import { createSystemClock, type Clock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import type { Deal } from '../../src/deal/deal.ts'
import { createJournal } from '../../src/deal/journal.ts'
import type { Signer } from '../../src/identity/signer.ts'
import { createBatcher, type Batcher } from '../../src/roles/batch/batcher.ts'
import type { GatheringPace } from '../../src/roles/batch/gathering.ts'
import { createKnownBatches } from '../../src/roles/batch/known-batches.ts'
import { createLeaves, type Leaves } from '../../src/roles/batch/leaves.ts'
import type { GatheredDeal } from '../../src/roles/batch/own-batch.ts'
import { createSessionKeeper } from '../../src/roles/batch/session-keeper.ts'
import { openDealBook, type DealBook } from '../../src/roles/deal-book.ts'
import { createDealWatch } from '../../src/roles/deal-watch.ts'
import { createOrders } from '../../src/roles/orders.ts'
import type { Datastore } from '../../src/store/datastore.ts'
import type { LeafPlace } from '../../src/wire/deal-room.ts'
import { BATCHED_LANE } from '../../src/wire/deal-terms.ts'
import type { Hash } from '../../src/wire/shapes.ts'
import { namedSigner, type TestChain } from './chain.ts'
import { signDeal, type DealSetup, type SignedDeal } from './deals.ts'
import { createMemoryDatastore } from './memory-datastore.ts'

/** One side of deals in batches, as its node follows them on the real contracts. */
export interface Party { readonly signer: Signer, readonly chain: Chain, readonly deals: DealBook, readonly leaves: Leaves, stop: () => Promise<void> }

export const DEPOSIT = 100_000
const signal = (): AbortSignal => AbortSignal.timeout(60_000)
const SOON = { quietMs: 5, mostMs: 50 }

/** Waits for what another part of the scene does. */
export async function until<T> (what: () => T | Promise<T>): Promise<NonNullable<Exclude<T, false>>> {
  for (;;) {
    const value = await what()
    if (value !== undefined && value !== null && value !== false) return value as NonNullable<Exclude<T, false>>
    await delay(5)
  }
}

/** A creator or provider with DEPOSIT in the vault, half of it in its session, and a watch over its deals. `askLeaf`: what its solver would answer. `hold`: waited for before it reads a transaction. `datastore`: where an earlier one left its disk. */
export async function openParty (test: TestChain, role: Deal['role'], options: { name?: string, datastore?: Datastore, hold?: () => Promise<void>, askLeaf?: (dealId: Hash) => LeafPlace, tuning?: Partial<ChainTuning>, onTick?: (deal: Deal, blockTime: number, party: Party) => Promise<void> } = {}): Promise<Party> {
  const signer = namedSigner(options.name ?? role)
  const clock = createSystemClock()
  await test.fund(signer.address, DEPOSIT)
  const { datastore = createMemoryDatastore() } = options
  const chain = await test.chainFor(signer, { datastore, tuning: { pollMs: 10, ...options.tuning } })
  await chain.send(await chain.depositCall(DEPOSIT), { name: 'deposit', signal: signal() })
  const keeper = createSessionKeeper({ datastore: createMemoryDatastore(), chain, orders: createOrders({ chain, signer }), clock, logger: silentLogger })
  await keeper.look()
  await keeper.stop()
  const deals = await openDealBook({ journal: createJournal({ datastore }, { role }), clock })
  const transactionData: Chain['transactionData'] = async (hash) => {
    await options.hold?.()
    return await chain.transactionData(hash)
  }
  const leaves = createLeaves({
    deals, chain: { domain: chain.domain, deployment: chain.deployment, slot: chain.slot, transactionData }, clock, logger: silentLogger, known: createKnownBatches({ datastore }, { role }),
    askLeaf: async ({ dealId }) => {
      if (options.askLeaf === undefined) throw new Error('its solver is away')
      return options.askLeaf(dealId)
    }
  })
  const watch = createDealWatch({ deals, leaves, chain, clock, logger: silentLogger }, { onTick: async (blockTime) => { for (const deal of deals.open()) await options.onTick?.(deal, blockTime, party) } })
  const party: Party = { signer, chain, deals, leaves, stop: watch.stop }
  await watch.start()
  return party
}

/** A solver's batches over the node's own datastore, so that another one can go on with it. */
export async function openBatcher (test: TestChain, options: { chain: Chain, datastore?: Datastore, clock?: Clock, settleSeconds?: number, pace?: GatheringPace, tell?: (dealId: Hash, place: LeafPlace) => Promise<void> }): Promise<Batcher> {
  const { chain, datastore = createMemoryDatastore(), clock = createSystemClock(), settleSeconds = 1, pace = SOON, tell = async () => undefined } = options
  const batcher = createBatcher({ chain, room: { leaf: async (_peer, dealId, place) => { await tell(dealId, place) } }, datastore, clock, logger: silentLogger }, { pace, settleSeconds })
  await batcher.start()
  return batcher
}

/** A solver's chain with this bond, nLILY. */
export async function openSolver (test: TestChain, name = 'solver', bond = 1_000_000): Promise<Chain> {
  const signer = namedSigner(name)
  await test.fund(signer.address, bond)
  const chain = await test.chainFor(signer, { tuning: { pollMs: 10 } })
  if (bond === 0) return chain
  await chain.send(await chain.depositCall(bond), { name: 'deposit', signal: signal() })
  await chain.send(addBondCall(bond), { name: 'bond', signal: signal() })
  return chain
}

/** A deal of the two for a batch of `feeTo`, as both have journalled it when the solver gets it. */
export async function agree (creator: Party, provider: Party, setup: Pick<DealSetup, 'feeTo' | 'jobNumber' | 'core' | 'rest' | 'mediators'>): Promise<{ signed: SignedDeal, gathered: GatheredDeal, ofCreator: Deal, ofProvider: Deal }> {
  const { domain } = creator.chain
  const now = await creator.chain.blockTime()
  const signed = signDeal({ domain, creator: creator.signer, provider: provider.signer, now, ...setup, core: { reserve: 0, lane: BATCHED_LANE, ...setup.core }, rest: { verification: 1, auditBp: 0, ...setup.rest } })
  const journal = async (role: Deal['role'], book: DealBook, salt: Hash): Promise<Deal> => {
    const { creatorSignature, providerSignature } = signed.consent
    const deal: Deal = { dealId: signed.dealId, role, state: 'DealNegotiating', epoch: 1, terms: signed.terms, mediators: signed.creatorView.mediators, jobRecord: new Uint8Array(), devices: [], peer: 'peer', ownSalt: salt, creatorSignature, providerSignature, transactions: [], updatedAtMs: 0 }
    await book.add(deal)
    return deal
  }
  return {
    signed, gathered: { ...signed.consent, creatorPeer: 'creator', providerPeer: 'provider' },
    ofCreator: await journal('creator', creator.deals, signed.salts.creator), ofProvider: await journal('provider', provider.deals, signed.salts.provider)
  }
}

/** Puts a started run with a signed result into a journal. */
export async function deliver (book: DealBook, deal: Deal, { providerView }: SignedDeal): Promise<void> {
  const { start, result } = providerView
  if (start === undefined || result === undefined) throw new Error('the deal has no result')
  await book.apply(deal, 'started', (changed) => { changed.start = { ...start, sealedRoot: zeroHash } })
  await book.apply(deal, 'delivered', (changed) => { changed.result = { ...result, manifestCid: '', outputsCid: '', manifestBytes: new Uint8Array() } })
}
