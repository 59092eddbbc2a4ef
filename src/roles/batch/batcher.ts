import type { Chain, ChainEvent } from '../../chain/chain.ts'
import type { Clock } from '../../core/clock.ts'
import { errorMessage } from '../../core/errors.ts'
import type { Startable } from '../../core/lifecycle.ts'
import type { Logger } from '../../core/logger.ts'
import { DealError } from '../../deal/errors.ts'
import type { Datastore } from '../../store/datastore.ts'
import type { LeafPlace, OpenRequestOf } from '../../wire/deal-room.ts'
import type { Hash } from '../../wire/shapes.ts'
import type { DealRoom } from '../deal-room.ts'
import { createAnswering } from './answering.ts'
import { createBondRoom } from './bond-room.ts'
import { createCommitting } from './committing.ts'
import type { GatheringPace } from './gathering.ts'
import { createHearing } from './hearing.ts'
import { createOwnBatch, type GatheredDeal, type OwnBatch } from './own-batch.ts'
import { createOwnBatches, isOver } from './own-batches.ts'
import { createOwnStore } from './own-store.ts'
import { createSettling } from './settling.ts'
import { createTaking } from './taking.ts'

export interface BatcherComponents {
  chain: Pick<Chain, 'domain' | 'deployment' | 'address' | 'send' | 'onEvent' | 'onLost' | 'slot' | 'blockTime' | 'account' | 'accusation'>
  room: Pick<DealRoom, 'leaf'>
  datastore: Pick<Datastore, 'put' | 'delete' | 'batch' | 'entries'>
  clock: Clock
  logger: Logger
}
export interface BatcherOptions { pace: GatheringPace, settleSeconds: number }

/** A solver's batches: deals are gathered, committed, settled and, at the end, expired (protocol/batches.md, Between nodes). */
export interface Batcher extends Startable {
  /** Throws DealError DEAL_NO_BATCHES, DEAL_BAD_BATCH, DEAL_SOLVER_FULL. */
  assertRoom: (deal: Pick<GatheredDeal, 'terms'>) => Promise<void>
  /** Resolves when the consents are on disk: from then on they will be committed. Throws as `assertRoom`, and DEAL_TERMS_DIFFER. */
  take: (deal: GatheredDeal) => Promise<void>
  /** Throws DealError DEAL_UNKNOWN until the deal stands on chain. */
  leafOf: (dealId: Hash) => LeafPlace
  /** What both signed for a deal in a batch of ours. Throws DealError DEAL_UNKNOWN. */
  consentOf: (dealId: Hash) => GatheredDeal
  /** Throws as Hearing.hear. */
  statement: (message: Omit<OpenRequestOf<'statement'>, 'type'>) => Promise<void>
}

const TICK_MS = 500
const ALL = (1n << 256n) - 1n
/** A deal is taken while there is time for so many times the longest gathering: for inclusion, and for a replacement. */
const GATHERINGS = 5

export function createBatcher (components: BatcherComponents, options: BatcherOptions): Batcher {
  const { chain, room, clock, logger } = components
  const { domain } = chain
  const stopping = new AbortController()
  const context = { domain, batches: chain.deployment.contracts.batches, solver: chain.address }
  const store = createOwnStore(components, { domain })
  const own = createOwnBatches({ chain, store, clock })
  const stops: Array<() => void> = []
  let loop: Promise<void> = Promise.resolve()

  const answer = createAnswering({ chain, own, clock, logger }, { signal: stopping.signal })
  const onEvent = async (event: ChainEvent): Promise<void> => {
    const committed = await own.onEvent(event)
    if (committed !== undefined) await tellLeaves(committed)
    await answer(event)
  }
  const committing = createCommitting({ chain, own, store, clock, logger, onEvent }, { context, pace: options.pace, signal: stopping.signal })
  const settling = createSettling({ chain, own, clock, logger, onEvent }, { settleSeconds: options.settleSeconds, signal: stopping.signal })
  const bond = createBondRoom({ chain, clock }, { leastOpenSeconds: GATHERINGS * options.pace.mostMs / 1000, waiting: () => [...committing.waiting, ...own.all().filter(({ place }) => place === undefined).flatMap(({ deals }) => deals)] })

  const { hear } = createHearing({ own, store, clock }, { domain })
  const { take, isKnown } = createTaking({ own, store, committing, bond }, { domain })

  /** Who does not hear it asks. */
  const tellLeaves = async (batch: OwnBatch): Promise<void> => {
    await Promise.allSettled(batch.deals.flatMap(({ creatorPeer, providerPeer }, leaf) => {
      const dealId = batch.dealIds[leaf]
      const place = dealId === undefined ? undefined : batch.leafOf(dealId)
      return dealId === undefined || place === undefined ? [] : [creatorPeer, providerPeer].map(async (peer) => { await room.leaf(peer, dealId, place) })
    }))
  }

  /** Goes on with what an earlier run left. What was sent then is sent again by this key's queue, and tells by its event. */
  const restore = async (): Promise<void> => {
    const { gathered, batches } = await store.load()
    for (const { slot, expiry, deals, place, statements } of batches) {
      const batch = createOwnBatch(context, { slot, expiry, deals })
      own.restore(batch)
      const { id, resolved } = await chain.slot(chain.address, slot)
      if (place !== undefined && id === place.id) {
        batch.put(place)
        batch.resolve(resolved)
        for (const statement of statements) if (statement.batch === id) batch.say(statement)
      } else if (BigInt(id) === 0n || resolved === ALL) {
        if (place !== undefined) await own.forget(batch)
        else if (!isOver(batch, await chain.blockTime())) void committing.commit(batch)
      }
    }
    for (const deal of gathered) if (!isKnown(deal)) committing.add(deal)
  }

  return {
    assertRoom: bond.assertRoom,
    take,
    leafOf: (dealId) => {
      const place = own.all().map((batch) => batch.leafOf(dealId)).find((each) => each !== undefined)
      if (place === undefined) throw new DealError('DEAL_UNKNOWN', 'the deal stands in no batch of ours', { data: { dealId } })
      return place
    },
    consentOf: (dealId) => {
      const deal = own.dealOf(dealId)
      if (deal === undefined) throw new DealError('DEAL_UNKNOWN', 'the deal stands in no batch of ours', { data: { dealId } })
      return deal
    },
    statement: async (message) => {
      const batch = await hear(message)
      if (batch !== undefined) settling.settleIfDue(batch)
    },
    start: async () => {
      await restore()
      const quiet = (name: string) => (error: unknown): void => { logger.error(name, { error: errorMessage(error) }) }
      stops.push(
        chain.onEvent(async (event) => { await onEvent(event).catch(quiet('batch.event')) }),
        chain.onLost(async (event) => { await own.onLost(event).catch(quiet('batch.lost')) })
      )
      loop = (async () => {
        while (!stopping.signal.aborted) {
          await settling.tick().catch((error: unknown) => { logger.debug('batch.tick', { error: errorMessage(error) }) })
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
