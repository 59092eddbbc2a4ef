import { hexToNumber, numberToHex, type Hex } from 'viem'
import { errorCode, errorMessage } from '../core/errors.ts'
import type { Startable } from '../core/lifecycle.ts'
import type { Logger } from '../core/logger.ts'
import type { Address, Hash } from '../wire/shapes.ts'
import { blockTimeOf } from './block-times.ts'
import type { ChainClients } from './clients.ts'
import type { RpcLog } from './contract-call.ts'
import { loadCursor, saveCursor, type Cursor } from './cursor.ts'
import { decodeEvents, sourceAddresses, type ChainEvent, type EventSources } from './decode-events.ts'
import type { ChainStore } from './chain-store.ts'
import { ChainError } from './errors.ts'
import type { Block, Head } from './head.ts'
import type { ChainTuning } from './options.ts'
import { createProjections, type Projections } from './projections.ts'

/** A listener. The block counts as done when what it returned has settled; the next event does not wait for that. */
export type EventListener = (event: ChainEvent) => void | Promise<void>

/** Hands on the events of Vault, Market, Court, Batches and Vouchers in chain order, each once while the node runs and at least once over restarts. */
export interface EventFollower extends Startable {
  /** A listener that registers after `start` first gets what was handed on since then (the last 1,000 events). */
  onEvent: (listener: EventListener) => () => void
  /** Tells of events that were handed on and that the chain has taken back for good: a re-org replaced their block, and none of the `reorgBlocks` blocks after brought them again. */
  onLost: (listener: EventListener) => () => void
  /** Register before `start`. */
  project: Projections['add']
  /** Resolves when everything up to the head's present block was handed on. */
  caughtUp: () => Promise<void>
  status: () => { block: number, problem: { code: string, message: string } | undefined }
}

/** `onReorganised`: blocks whose events were handed on are replaced by others. */
export interface EventFollowerComponents { clients: ChainClients, head: Head, logger: Logger, store: ChainStore, onReorganised?: () => void }
export interface EventFollowerOptions { sources: EventSources, startBlock: number, tuning: Pick<ChainTuning, 'confirmations' | 'reorgBlocks' | 'logRangeBlocks'> }

/** Beyond this many transactions at once (a back-fill) senders and gas are not asked for: one request each. */
const MAX_DETAILED = 32
/** Parts of a node register one after the other while it starts; none may miss an event that came between. */
const KEPT_EVENTS = 1000

/** Reads nothing before `start`. */
export function createEventFollower (components: EventFollowerComponents, options: EventFollowerOptions): EventFollower {
  const { clients, head, logger, store } = components
  const { sources, tuning } = options
  const key = `chain/cursor/${clients.chainId}/${sources.market}`
  const listeners = new Set<EventListener>()
  const lostListeners = new Set<EventListener>()
  const projections = createProjections({ logger })
  const seen = new Map<string, ChainEvent>()
  /** Handed on, in blocks that were replaced, and not seen again so far: by id, with the block up to which they may come back. */
  const doubtful = new Map<string, number>()
  const kept: ChainEvent[] = []
  const before: Cursor = { number: options.startBlock - 1, hash: `0x${'0'.repeat(64)}` }
  let cursor = before
  let isStopping = false
  /** A listener that never ends keeps its block from counting as done, not the node from stopping. */
  const stopped = Promise.withResolvers<'stopped'>()
  let hasNews = false
  let advancing: Promise<void> | undefined
  let saving: Promise<void> = Promise.resolve()
  let rewinding: Promise<void> = Promise.resolve()
  let problem: { code: string, message: string } | undefined
  let unwatch = (): void => undefined

  const goTo = (place: Cursor): void => {
    cursor = place
    rewinding = projections.rewind(place.number)
  }
  const hashOf = async (number: number): Promise<Hash | undefined> =>
    (await clients.request<{ hash: Hash } | null>('eth_getBlockByNumber', [numberToHex(number), false]))?.hash
  const rewindIfReplaced = async (block: Block): Promise<void> => {
    const isContinued = cursor === before || (block.number === cursor.number && block.hash === cursor.hash) || (block.number === cursor.number + 1 && block.parentHash === cursor.hash)
    if (isContinued || await hashOf(cursor.number) === cursor.hash) return
    const number = Math.max(before.number, Math.min(cursor.number, block.number) - tuning.reorgBlocks)
    const until = cursor.number + tuning.reorgBlocks
    for (const event of seen.values()) if (event.blockNumber > number) doubtful.set(event.id, until)
    logger.warn('chain.reorganised', { from: cursor.number, to: number })
    components.onReorganised?.()
    const hash = number <= before.number ? undefined : await hashOf(number)
    goTo(hash === undefined ? before : { number, hash })
  }
  const detail = async (events: readonly ChainEvent[]): Promise<ChainEvent[]> => {
    const hashes = [...new Set(events.map((event) => event.transactionHash))]
    if (hashes.length > MAX_DETAILED) return [...events]
    const receipts = new Map(await Promise.all(hashes.map(async (hash) => [hash, await clients.request<{ from: Address, gasUsed: Hex } | null>('eth_getTransactionReceipt', [hash])] as const)))
    return events.map((event) => {
      const receipt = receipts.get(event.transactionHash)
      return receipt === null || receipt === undefined ? event : { ...event, from: receipt.from, gas: hexToNumber(receipt.gasUsed) }
    })
  }
  const read = async (from: number, to: number): Promise<ChainEvent[]> => {
    const logs = await clients.request<RpcLog[]>('eth_getLogs', [{ address: sourceAddresses(sources), fromBlock: numberToHex(from), toBlock: numberToHex(to) }])
    if (logs.length === 0) return []
    const times = new Map<Hash, number>()
    for (const log of logs) {
      if (times.has(log.blockHash)) continue
      const time = await blockTimeOf({ clients, head }, log)
      if (time === undefined) throw new ChainError('CHAIN_RPC', `block ${hexToNumber(log.blockNumber)} has events and is not known`, { data: { method: 'eth_getBlockByNumber', blockHash: log.blockHash } })
      times.set(log.blockHash, time)
    }
    return await detail(decodeEvents(sources, logs, (log) => times.get(log.blockHash) ?? 0))
  }
  const handOn = (events: readonly ChainEvent[]): Promise<unknown> => {
    const results: unknown[] = []
    for (const event of events) {
      results.push(projections.take(event))
      doubtful.delete(event.id)
      const isKnown = seen.has(event.id)
      seen.set(event.id, event)
      if (isKnown) continue
      kept.push(event)
      for (const listener of listeners) results.push(call(listener, event))
    }
    if (kept.length > KEPT_EVENTS) kept.splice(0, kept.length - KEPT_EVENTS)
    return Promise.allSettled(results)
  }
  /** A lost event may come once more in a later block: then it is handed on like a new one. */
  const tellLost = (): Promise<unknown> => {
    const results: unknown[] = []
    for (const [id, until] of doubtful) {
      const event = seen.get(id)
      if (cursor.number < until) continue
      doubtful.delete(id)
      seen.delete(id)
      if (event === undefined) continue
      logger.warn('chain.event-lost', { event: event.name, dealId: event.dealId, transactionHash: event.transactionHash })
      const place = kept.indexOf(event)
      if (place >= 0) kept.splice(place, 1)
      for (const listener of lostListeners) results.push(call(listener, event))
    }
    return Promise.allSettled(results)
  }
  const call = async (listener: EventListener, event: ChainEvent): Promise<void> => {
    try {
      await listener(event)
    } catch (error) {
      logger.error('chain.listener-failed', { event: event.name, dealId: event.dealId, error })
    }
  }
  const advance = async (): Promise<void> => {
    const block = await head.latest()
    await rewindIfReplaced(block)
    const target = block.number - tuning.confirmations
    while (cursor.number < target && !isStopping) {
      const to = Math.min(cursor.number + tuning.logRangeBlocks, target)
      // Before the logs: were they of other blocks, the next look would find this one replaced.
      const hash = to === block.number ? block.hash : await hashOf(to)
      if (hash === undefined) return
      const events = await read(cursor.number + 1, to)
      const handing = handOn(events)
      const reached = cursor = { number: to, hash }
      const handled = Promise.all([rewinding, handing, tellLost()])
      for (const [id, { blockNumber }] of seen) if (blockNumber < to - 2 * tuning.reorgBlocks && !doubtful.has(id)) seen.delete(id)
      saving = saving.then(async () => {
        const outcome = await Promise.race([handled.then(() => 'handled'), stopped.promise])
        if (outcome === 'handled') await saveCursor(store, key, reached)
      })
        .catch((error: unknown) => { logger.warn('chain.cursor-not-saved', { error }) })
    }
  }
  const kick = (): void => {
    hasNews = true
    advancing ??= run().finally(() => { advancing = undefined; if (hasNews && !isStopping) kick() })
  }
  const run = async (): Promise<void> => {
    while (hasNews && !isStopping) {
      hasNews = false
      try {
        await advance()
        problem = undefined
      } catch (error) {
        // The next head, at the latest after the outage, tries again from the same cursor.
        logger.debug('chain.events-failed', { error })
        problem = { code: errorCode(error), message: errorMessage(error) }
      }
    }
  }
  return {
    onEvent: (listener) => {
      let isWanted = true
      queueMicrotask(() => {
        if (!isWanted) return
        for (const event of kept) void call(listener, event)
        listeners.add(listener)
      })
      return () => { isWanted = false; listeners.delete(listener) }
    },
    onLost: (listener) => {
      lostListeners.add(listener)
      return () => { lostListeners.delete(listener) }
    },
    project: projections.add,
    caughtUp: async () => { await head.refresh(); kick(); await advancing },
    status: () => ({ block: cursor.number, problem }),
    start: async () => {
      goTo(await loadCursor(store, key) ?? before)
      unwatch = head.onBlock(kick)
      kick()
    },
    stop: async () => {
      isStopping = true
      stopped.resolve('stopped')
      unwatch()
      await advancing
      await saving
    }
  }
}
