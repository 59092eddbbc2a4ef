import { committedBatch } from '../../chain/batch/committed.ts'
import { claimCall } from '../../chain/batch/calls.ts'
import { answerDisownCall } from '../../chain/batch/fault-calls.ts'
import { leafOf, openingOf, type Batch, type Opening } from '../../chain/batch/layout.ts'
import { leafHash, rootFrom } from '../../chain/batch/tree.ts'
import type { Chain, ChainEvent, ContractCall, TxReceipt } from '../../chain/chain.ts'
import type { Clock } from '../../core/clock.ts'
import { errorMessage } from '../../core/errors.ts'
import type { Logger } from '../../core/logger.ts'
import { hasLeaf, isBatched, leastExpiry } from '../../deal/batched.ts'
import type { Deal } from '../../deal/deal.ts'
import { DealError } from '../../deal/errors.ts'
import { takeBack } from '../../deal/take-back.ts'
import type { LeafPlace } from '../../wire/deal-room.ts'
import { dealTermsDigest } from '../../wire/deal-terms.ts'
import type { Hash } from '../../wire/shapes.ts'
import { disownKey } from '../../wire/statement.ts'
import type { DealBook } from '../deal-book.ts'
import { recordTransaction } from '../transactions.ts'
import type { KnownBatches } from './known-batches.ts'

export interface LeavesComponents {
  deals: DealBook
  chain: Pick<Chain, 'domain' | 'deployment' | 'transactionData' | 'slot'>
  known: KnownBatches
  /** A solver's place and proof for a deal. */
  askLeaf: (deal: Deal) => Promise<LeafPlace>
  clock: Clock
  logger: Logger
}

/** Chain or disk may be away when an event comes: the event is not over before it was taken in. */
const RETRY_MS = 1000
/** An endpoint may know an event before its transaction. */
const MAX_LOOKS = 60
/** A re-org may still want the batch of a deal that has just ended. */
const SWEEP_MS = 600_000

/** One role's deals in batches: the chain shows the batch, the solver the proof, and both together open the deal. */
export interface Leaves {
  onEvent: (event: ChainEvent) => Promise<void>
  onLost: (event: ChainEvent) => Promise<void>
  /** A place and proof that somebody told. */
  told: (deal: Deal, place: LeafPlace) => Promise<void>
  /** Asks for the proofs that deals in batches lack, and forgets batches whose deals are over. */
  tick: () => Promise<void>
  batchOf: (deal: Deal) => Promise<Batch>
  openingOf: (deal: Deal) => Promise<Opening>
  claimCall: (deal: Deal) => Promise<ContractCall>
  /** Shows both signatures where the other side disowned the leaf. */
  answerCall: (deal: Deal) => Promise<ContractCall>
  /** Takes what a transaction's own events tell, before the follower brings them. */
  takeReceipt: (receipt: TxReceipt) => Promise<void>
  /** Whether the chain has the leaf's money no more: released by a way that names no leaf. */
  isGone: (deal: Deal) => Promise<boolean>
  /** What waits for chain or disk waits no more. */
  stop: () => void
}

export function createLeaves (components: LeavesComponents): Leaves {
  const { deals, chain, known, clock, logger } = components
  const { domain } = chain
  const batches = chain.deployment.contracts.batches
  const stopping = new AbortController()
  let sweepAtMs = 0
  /** Proofs that came before their batch. */
  const early = new Map<Hash, LeafPlace>()
  /** Events one after the other: what ends a leaf must not overtake what opened it. */
  let queue: Promise<void> = Promise.resolve()

  const batchOf = async (deal: Deal): Promise<Batch> => {
    const batch = deal.batch === undefined ? undefined : await known.get(deal.batch.id)
    if (batch === undefined) throw new DealError('DEAL_NO_BATCH', 'the deal stands in no batch that this node knows', { data: { dealId: deal.dealId } })
    return batch
  }

  const provenLeaf = async (deal: Deal): Promise<Parameters<typeof claimCall>> => {
    const { terms, creatorSignature, providerSignature, batch } = deal
    if (batch?.proof === undefined || creatorSignature === undefined || providerSignature === undefined) throw new DealError('DEAL_NO_BATCH', 'the deal has no proven leaf', { data: { dealId: deal.dealId } })
    return [openingOf(await batchOf(deal), batch.leaf, batch.proof), terms, creatorSignature, providerSignature]
  }

  const openProven = async (deal: Deal, { leaf, proof }: LeafPlace): Promise<void> => {
    const { batch } = deal
    if (batch === undefined || batch.proof !== undefined) return
    const { root } = await batchOf(deal)
    const { openBy } = deal.terms.core
    if (leaf !== batch.leaf || rootFrom(leafHash(leaf, dealTermsDigest(domain, deal.terms)), proof) !== root) throw new DealError('DEAL_BAD_PROOF', 'the proof does not lead from these terms to the batch\'s root', { data: { dealId: deal.dealId, batch: batch.id, leaf } })
    if (batch.committedAt > openBy || batch.expiry < leastExpiry(deal.terms)) throw new DealError('DEAL_BAD_BATCH', 'the batch was committed after openBy or expires too early', { data: { dealId: deal.dealId, committedAt: batch.committedAt, openBy, expiry: batch.expiry, least: leastExpiry(deal.terms) } })
    await deals.apply(deal, 'opened', (changed) => { changed.batch = { ...batch, proof: [...proof] }; changed.openedAt ??= batch.committedAt })
  }

  const told = async (deal: Deal, place: LeafPlace): Promise<void> => {
    if (!isBatched(deal.terms)) throw new DealError('DEAL_BAD_BATCH', 'the deal is none of a batch by its terms', { data: { dealId: deal.dealId } })
    if (deal.batch?.id === place.batch) await openProven(deal, place)
    else if (deals.open().includes(deal)) early.set(deal.dealId, place)
  }

  const dataOf = async (hash: Hash): Promise<Hash | undefined> => {
    for (let look = 0; look < MAX_LOOKS; look++) {
      const data = await chain.transactionData(hash)
      if (data !== undefined) return data
      await clock.wait(RETRY_MS, stopping.signal)
    }
    return undefined
  }

  const onCommitted = async (event: ChainEvent & { name: 'BatchCommitted' }): Promise<void> => {
    const { id, solver, voided } = event.args
    // One that has a batch already is in this one where a re-org moved the commit: the nullifier takes a deal once.
    const waiting = deals.open().filter((deal) => isBatched(deal.terms) && deal.terms.core.feeTo === solver && deal.batch?.id !== id && deal.batch?.claimedAt === undefined && deal.creatorSignature !== undefined)
    if (waiting.length === 0) return
    const data = await dataOf(event.transactionHash)
    const batch = data === undefined ? undefined : committedBatch(data, { chainId: domain.chainId, batches, id, solver, committedAt: event.blockTime, voided })
    if (batch === undefined) {
      logger.warn('batch.unreadable', { batch: id, hash: event.transactionHash })
      return
    }
    const found = waiting.flatMap((deal) => {
      const leaf = leafOf(batch, deal.terms.core)
      return leaf < 0 ? [] : [{ deal, leaf }]
    })
    const opened = found.filter(({ leaf }) => !hasLeaf(voided, leaf))
    const inTime = found.filter(({ deal, leaf }) => hasLeaf(voided, leaf) && event.blockTime <= deal.terms.core.openBy)
    await Promise.all(inTime.map(async ({ deal }) => { await deals.update(deal, (changed) => { changed.voidIn = id }) }))
    if (opened.length === 0) return
    await known.add(id, batch)
    await Promise.all(opened.map(async ({ deal, leaf }) => {
      const before = deal.batch === undefined ? undefined : await known.get(deal.batch.id)
      const proof = before?.root === batch.root && deal.batch?.leaf === leaf ? deal.batch.proof : undefined
      await deals.update(deal, (changed) => {
        changed.batch = { id, leaf, committedAt: event.blockTime, expiry: Number(batch.expiry), ...(proof === undefined ? {} : { proof }) }
        recordTransaction({ name: 'commit', hash: event.transactionHash, gas: event.gas ?? 0, from: event.from ?? solver }, batch.rows.length)(changed)
      })
      const place = early.get(deal.dealId)
      early.delete(deal.dealId)
      if (place?.batch === id) await openProven(deal, place).catch((error: unknown) => { logger.warn('batch.proof', { dealId: deal.dealId, error: errorMessage(error) }) })
    }))
  }

  const onResolved = async (event: ChainEvent & { name: 'BatchSettled' | 'BatchExpired' }): Promise<void> => {
    const { id, leaves } = event.args
    const [name, dealEvent] = event.name === 'BatchSettled' ? ['settle', 'settled'] as const : ['expire', 'refunded'] as const
    const count = [...leaves.toString(2)].filter((bit) => bit === '1').length
    await Promise.all(deals.all().filter(({ batch }) => batch?.id === id && hasLeaf(leaves, batch.leaf)).map(async (deal) => {
      await deals.apply(deal, dealEvent, recordTransaction({ name, hash: event.transactionHash, gas: event.gas ?? 0, from: event.from ?? deal.terms.core.feeTo }, count))
    }))
  }

  const onClaimed = async (event: ChainEvent & { name: 'LeafClaimed' }): Promise<void> => {
    const deal = deals.get(event.args.dealId)
    if (deal?.batch === undefined || deal.batch.id !== event.args.id || deal.batch.claimedAt !== undefined) return
    await deals.update(deal, (changed) => {
      changed.batch = { ...deal.batch as NonNullable<Deal['batch']>, claimedAt: event.blockTime }
      recordTransaction({ name: 'claim', hash: event.transactionHash, gas: event.gas ?? 0, from: event.from ?? deal.terms.core.creator })(changed)
    })
  }

  const onAccused = async (key: Hash, answerBy: number | undefined): Promise<void> => {
    const deal = deals.open().find(({ batch }) => batch !== undefined && disownKey(batch.id, batch.leaf) === key)
    if (deal?.batch === undefined) return
    const { answerBy: _, ...batch } = deal.batch
    await deals.update(deal, (changed) => { changed.batch = answerBy === undefined ? batch : { ...batch, answerBy } })
  }

  /** Rejects only when the node stops: the event comes again then. */
  const untilDone = async (work: () => Promise<void>): Promise<void> => {
    for (;;) {
      try {
        await work()
        return
      } catch (error) {
        logger.warn('batch.event', { error: errorMessage(error) })
        await clock.wait(RETRY_MS, stopping.signal)
      }
    }
  }
  const handle = async (event: ChainEvent): Promise<void> => {
    if (event.name === 'BatchCommitted') await onCommitted(event)
    else if (event.name === 'BatchSettled' || event.name === 'BatchExpired') await onResolved(event)
    else if (event.name === 'LeafClaimed') await onClaimed(event)
    else if (event.name === 'Accused') await onAccused(event.args.key, event.args.answerBy)
    else if (event.name === 'Answered') await onAccused(event.args.key, undefined)
  }
  const onEvent = async (event: ChainEvent): Promise<void> => {
    if (event.contract !== 'batches') return
    const handled = queue.then(async () => { await untilDone(async () => { await handle(event) }) })
    queue = handled.catch(() => undefined)
    await handled
  }

  return {
    onEvent,
    told,
    batchOf,
    stop: () => { stopping.abort(new Error('the node is stopping')) },
    onLost: async (event) => {
      if (event.contract !== 'batches' || !('id' in event.args)) return
      const { id } = event.args
      for (const deal of deals.all().filter(({ voidIn }) => voidIn === id)) await deals.update(deal, (changed) => { delete changed.voidIn })
      for (const deal of deals.all().filter(({ batch }) => batch?.id === id)) {
        const { batch, terms: { core } } = deal
        if (batch === undefined) continue
        const { id: held, resolved } = await chain.slot(core.feeTo, Number((await batchOf(deal)).slot))
        const isLeafAgain = held === id && !hasLeaf(resolved, batch.leaf)
        if (event.name === 'BatchCommitted' && held !== id) await deals.update(deal, (changed) => { takeBack(changed, 'None') })
        else if (event.name !== 'BatchCommitted' && isLeafAgain) {
          await deals.update(deal, (changed) => {
            takeBack(changed, 'Open')
            const { claimedAt: _, ...leaf } = batch
            changed.batch = leaf
          })
        }
      }
    },
    tick: async () => {
      if (clock.now() >= sweepAtMs) {
        sweepAtMs = clock.now() + SWEEP_MS
        // In turn with events, one of which may be bringing a batch.
        queue = queue.then(async () => { await known.keepOnly(deals.open()) }).catch((error: unknown) => { logger.warn('batch.sweep', { error: errorMessage(error) }) })
        await queue
        for (const dealId of early.keys()) if (deals.open().every((deal) => deal.dealId !== dealId)) early.delete(dealId)
      }
      await Promise.allSettled(deals.open().filter(({ batch }) => batch !== undefined && batch.proof === undefined && batch.claimedAt === undefined).map(async (deal) => {
        await openProven(deal, await components.askLeaf(deal))
      }))
    },
    openingOf: async (deal) => openingOf(await batchOf(deal), deal.batch?.leaf ?? 0, deal.batch?.proof ?? []),
    claimCall: async (deal) => claimCall(...await provenLeaf(deal)),
    answerCall: async (deal) => answerDisownCall(...await provenLeaf(deal)),
    takeReceipt: async (receipt) => { for (const event of receipt.events) await onEvent(event) },
    isGone: async (deal) => {
      const batch = await batchOf(deal)
      const { id, resolved } = await chain.slot(batch.solver, batch.slot)
      return id !== deal.batch?.id || hasLeaf(resolved, deal.batch.leaf)
    }
  }
}
