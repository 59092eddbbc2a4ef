import type { Chain, ChainEvent } from '../../chain/chain.ts'
import { expireCall } from '../../chain/batch/calls.ts'
import type { Clock } from '../../core/clock.ts'
import { errorMessage } from '../../core/errors.ts'
import type { Startable } from '../../core/lifecycle.ts'
import type { Logger } from '../../core/logger.ts'
import { leastExpiry, leavesWord } from '../../deal/batched.ts'
import { DealError } from '../../deal/errors.ts'
import { DEADLINE_SKEW_SECONDS } from '../../deal/timeouts.ts'
import type { Datastore } from '../../store/datastore.ts'
import type { LeafPlace, OpenRequestOf } from '../../wire/deal-room.ts'
import { dealIdOf } from '../../wire/deal-terms.ts'
import type { Hash } from '../../wire/shapes.ts'
import { recoverSigner } from '../../wire/signature.ts'
import { statementDigest } from '../../wire/statement.ts'
import type { DealRoom } from '../deal-room.ts'
import { createBondRoom } from './bond-room.ts'
import { createGathering, type GatheringPace } from './gathering.ts'
import { createOwnBatch, type GatheredDeal, type OwnBatch } from './own-batch.ts'
import { createOwnStore } from './own-store.ts'
import { packBatches } from './pack.ts'

export interface BatcherComponents {
  chain: Pick<Chain, 'domain' | 'deployment' | 'address' | 'send' | 'onEvent' | 'onLost' | 'slot' | 'blockTime' | 'account' | 'isNullified'>
  room: Pick<DealRoom, 'leaf'>
  datastore: Pick<Datastore, 'put' | 'delete' | 'batch' | 'entries'>
  clock: Clock
  logger: Logger
}
export interface BatcherOptions { pace: GatheringPace, settleSeconds: number }

/** A solver's batches: deals are gathered, committed, settled and, at the end, expired (protocol/batches.md, Between nodes). */
export interface Batcher extends Startable {
  /** Throws DealError DEAL_NO_BATCHES, DEAL_SOLVER_FULL. */
  assertRoom: (deal: Pick<GatheredDeal, 'terms'>) => Promise<void>
  /** Resolves when the consents are on disk: from then on they will be committed. */
  take: (deal: GatheredDeal) => Promise<void>
  /** Throws DealError DEAL_UNKNOWN until the deal stands on chain. */
  leafOf: (dealId: Hash) => LeafPlace
  /** Throws DealError DEAL_UNKNOWN, DEAL_BAD_SIGNATURE. */
  statement: (message: OpenRequestOf<'statement'>) => Promise<void>
}

/** Beyond what the parties ask for: the commit takes its time. */
const EXPIRY_MARGIN_SECONDS = 60
const TICK_MS = 500
/** After openBy a commit serves nobody; one that was sent before is waited for so long. */
const LANDING_SECONDS = 120
const NO_ID: Hash = `0x${'0'.repeat(64)}`
const ALL = (1n << 256n) - 1n

export function createBatcher (components: BatcherComponents, options: BatcherOptions): Batcher {
  const { chain, room, clock, logger } = components
  const { domain } = chain
  const context = { domain, batches: chain.deployment.contracts.batches, solver: chain.address }
  const store = createOwnStore(components, { domain })
  const stopping = new AbortController()
  const own = new Map<number, OwnBatch>()
  const busy = new Set<string>()
  const stops: Array<() => void> = []
  const bond = createBondRoom({ chain, clock }, { waiting: () => [...gathering.items, ...[...own.values()].filter(({ place }) => place === undefined).flatMap(({ deals }) => deals)] })
  let loop: Promise<void> = Promise.resolve()

  const idOf = ({ terms: { core } }: Pick<GatheredDeal, 'terms'>): Hash => dealIdOf(domain, core.creator, core.jobNumber, core.attempt)
  const isKnown = (dealId: Hash): boolean => gathering.items.some((deal) => idOf(deal) === dealId) || [...own.values()].some(({ dealIds }) => dealIds.includes(dealId))

  /** One piece of work of a kind at a time; what fails is tried again at the next tick. */
  const once = (key: string, work: () => Promise<void>): void => {
    if (busy.has(key)) return
    busy.add(key)
    work()
      .catch((error: unknown) => { if (!stopping.signal.aborted) logger.warn('batch.failed', { what: key, error: errorMessage(error) }) })
      .finally(() => { busy.delete(key) })
  }

  const isPast = ({ terms: { core } }: GatheredDeal, blockTime: number): boolean => core.openBy < blockTime

  const isOver = ({ deals }: OwnBatch, blockTime: number): boolean => deals.every((deal) => isPast(deal, blockTime))

  const commitAll = async (gathered: readonly GatheredDeal[]): Promise<void> => {
    const now = await chain.blockTime()
    const late = gathered.filter((deal) => isPast(deal, now))
    if (late.length > 0) await store.drop(late)
    for (const deals of packBatches(gathered.filter((deal) => !isPast(deal, now)))) {
      let slot = 0
      while (own.has(slot) || await isTaken(slot)) slot++
      const batch = createOwnBatch(context, { slot, expiry: Math.max(...deals.map(({ terms }) => leastExpiry(terms))) + EXPIRY_MARGIN_SECONDS, deals })
      own.set(slot, batch)
      await store.put(batch)
      once(`commit ${slot}`, async () => { await commit(batch) })
    }
  }
  const gathering = createGathering<GatheredDeal>({ clock }, options.pace, (items) => { once(`gathered ${clock.now()}`, async () => { await commitAll(items) }) })

  const isTaken = async (slot: number): Promise<boolean> => {
    const { id, resolved } = await chain.slot(chain.address, slot)
    return id !== NO_ID && resolved !== ALL
  }

  const commit = async (batch: OwnBatch): Promise<void> => {
    try {
      const receipt = await chain.send(batch.commitCall(), { name: 'commit', signal: stopping.signal })
      logger.info('batch.committed', { slot: batch.slot, leaves: batch.deals.length, gas: receipt.gas, hash: receipt.hash })
      for (const event of receipt.events) await onEvent(event)
    } catch (error) {
      // Refused, not lost: the deals are gathered anew while they may be.
      if (stopping.signal.aborted || batch.place !== undefined) return
      logger.warn('batch.commit', { slot: batch.slot, error: errorMessage(error) })
      own.delete(batch.slot)
      await store.forget(batch)
      const now = await chain.blockTime()
      for (const deal of batch.deals) {
        if (isPast(deal, now)) continue
        await store.gather(deal)
        gathering.add(deal)
      }
    }
  }

  const tellLeaves = async (batch: OwnBatch): Promise<void> => {
    await Promise.allSettled(batch.deals.flatMap(({ creatorPeer, providerPeer }, leaf) => {
      const dealId = batch.dealIds[leaf]
      const place = dealId === undefined ? undefined : batch.leafOf(dealId)
      return dealId === undefined || place === undefined ? [] : [creatorPeer, providerPeer].map(async (peer) => { await room.leaf(peer, dealId, place) })
    }))
  }

  const onEvent = async (event: ChainEvent): Promise<void> => {
    if (event.contract !== 'batches') return
    if (event.name === 'BatchCommitted' && event.args.solver === chain.address) {
      const batch = [...own.values()].find((each) => each.idAt(event.blockTime, event.args.voided) === event.args.id)
      if (batch === undefined || batch.place?.id === event.args.id) return
      batch.put({ id: event.args.id, committedAt: event.blockTime, voided: `0x${event.args.voided.toString(16).padStart(64, '0')}` })
      await store.place(batch)
      if (batch.live === 0n) await finish(batch)
      else await tellLeaves(batch)
      return
    }
    const resolved = event.name === 'BatchSettled' || event.name === 'BatchExpired' ? event.args.leaves : event.name === 'LeafClaimed' ? BigInt(leavesWord([event.args.leaf])) : 0n
    if (resolved === 0n || !('id' in event.args)) return
    const { id } = event.args
    const batch = [...own.values()].find(({ place }) => place?.id === id)
    batch?.resolve(resolved)
    if (batch?.live === 0n) await finish(batch)
  }

  const finish = async (batch: OwnBatch): Promise<void> => {
    if (own.get(batch.slot) !== batch) return
    own.delete(batch.slot)
    await store.forget(batch)
  }

  const settleIfDue = (batch: OwnBatch): void => {
    const payable = batch.payable()
    if (payable.length === 0) return
    const covered = payable.reduce((bits, { leaves }) => bits | BigInt(leaves), 0n)
    const oldest = Math.min(...payable.map(({ atMs }) => atMs))
    if ((batch.live & ~covered) !== 0n && clock.now() < oldest + options.settleSeconds * 500) return
    once(`settle ${batch.slot}`, async () => {
      const receipt = await chain.send(batch.settleCall(), { name: 'settle', signal: stopping.signal })
      for (const event of receipt.events) await onEvent(event)
    })
  }

  const tick = async (): Promise<void> => {
    if (own.size === 0) return
    const blockTime = await chain.blockTime()
    for (const batch of own.values()) {
      if (batch.place === undefined) {
        // A transaction of an earlier run may still land; then its event comes.
        if (isOver(batch, blockTime - LANDING_SECONDS)) await finish(batch)
        continue
      }
      settleIfDue(batch)
      if (blockTime <= batch.expiry + DEADLINE_SKEW_SECONDS) continue
      once(`expire ${batch.slot}`, async () => {
        const receipt = await chain.send(expireCall(batch.chainForm(), batch.live), { name: 'expire', signal: stopping.signal })
        for (const event of receipt.events) await onEvent(event)
      })
    }
  }

  /** The chain took the commit back: the same transaction is sent again by the queue of this key, and brings another id. */
  const onLost = async (event: ChainEvent): Promise<void> => {
    if (event.contract !== 'batches' || !('id' in event.args)) return
    const { id } = event.args
    const batch = [...own.values()].find(({ place }) => place?.id === id)
    if (batch === undefined) return
    const { id: held, resolved } = await chain.slot(chain.address, batch.slot)
    if (held === id) batch.put({ ...batch.place as NonNullable<typeof batch.place> })
    else if (event.name === 'BatchCommitted') batch.put(undefined)
    if (held === id) batch.resolve(resolved)
  }

  /** Goes on with what an earlier run left. */
  const restore = async (): Promise<void> => {
    const { gathered, batches } = await store.load()
    for (const { slot, expiry, deals, place, statements } of batches) {
      const batch = createOwnBatch(context, { slot, expiry, deals })
      own.set(slot, batch)
      const { id, resolved } = await chain.slot(chain.address, slot)
      if (place !== undefined && id === place.id) {
        batch.put(place)
        batch.resolve(resolved)
        for (const statement of statements) if (statement.batch === id) batch.say(statement)
        if (batch.live === 0n) await finish(batch)
      } else if (id === NO_ID || resolved === ALL) {
        // It never got there, or it is over; the event of one that is there comes by itself.
        if (place !== undefined) await finish(batch)
        else if (!isOver(batch, await chain.blockTime())) once(`commit ${slot}`, async () => { await commit(batch) })
      }
    }
    for (const deal of gathered) if (!isKnown(idOf(deal))) gathering.add(deal)
  }

  return {
    assertRoom: bond.assertRoom,
    take: async (deal) => {
      const dealId = idOf(deal)
      if (isKnown(dealId) || busy.has(dealId)) return
      busy.add(dealId)
      try {
        await store.gather(deal)
        gathering.add(deal)
      } finally {
        busy.delete(dealId)
      }
    },
    leafOf: (dealId) => {
      for (const batch of own.values()) {
        const place = batch.leafOf(dealId)
        if (place !== undefined) return place
      }
      throw new DealError('DEAL_UNKNOWN', 'the deal stands in no batch of ours', { data: { dealId } })
    },
    statement: async ({ batch: id, creator, leaves, signature }) => {
      const batch = [...own.values()].find(({ place }) => place?.id === id)
      if (batch === undefined) throw new DealError('DEAL_UNKNOWN', 'no such batch of ours, or all of it is resolved', { data: { batch: id } })
      const word = BigInt(leaves)
      if (word === 0n || (word & ~batch.leavesOfCreator(creator)) !== 0n) throw new DealError('DEAL_BAD_STATEMENT', 'a statement names leaves of its creator, at least one', { data: { batch: id, leaves } })
      const known = BigInt(batch.statements.get(creator)?.leaves ?? 0n)
      if ((word & ~known) === 0n) return
      if (recoverSigner(statementDigest(domain, { batch: id, creator, leaves: word, lines: [] }), signature) !== creator) throw new DealError('DEAL_BAD_SIGNATURE', 'the statement is not signed by the creator', { data: { batch: id } })
      // One that leaves out what an earlier one paid would take that back.
      if ((known & batch.live & ~word) !== 0n) throw new DealError('DEAL_BAD_STATEMENT', 'a later statement names all that an earlier one does', { data: { batch: id, leaves } })
      const statement = { batch: id, creator, leaves, signature, atMs: clock.now() }
      await store.statement(batch.slot, statement)
      batch.say(statement)
      settleIfDue(batch)
    },
    start: async () => {
      await restore()
      const quiet = (name: string) => (error: unknown): void => { logger.error(name, { error: errorMessage(error) }) }
      stops.push(
        chain.onEvent(async (event) => { await onEvent(event).catch(quiet('batch.event')) }),
        chain.onLost(async (event) => { await onLost(event).catch(quiet('batch.lost')) })
      )
      loop = (async () => {
        while (!stopping.signal.aborted) {
          await tick().catch((error: unknown) => { logger.debug('batch.tick', { error: errorMessage(error) }) })
          await clock.wait(TICK_MS, stopping.signal).catch(() => undefined)
        }
      })()
    },
    stop: async () => {
      for (const stop of stops) stop()
      stopping.abort(new Error('the node is stopping'))
      await loop
    }
  }
}
