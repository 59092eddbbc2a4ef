import type { Clock } from '../core/clock.ts'
import { errorCode, errorMessage } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { Topics, Validation } from '../mesh/topics.ts'
import { BATCH_OVERHEAD_BYTES, decodeBatch, encodeBatch, MAX_BATCH_BYTES, MAX_BATCH_RECORDS } from '../wire/record-batch.ts'
import { recordsTopic } from '../wire/topics.ts'
import type { Domain } from '../wire/typed-data.ts'
import type { Intake } from './intake.ts'
import { GOSSIP } from './options.ts'
import { createTurns } from './turns.ts'

/** CBOR's head of a byte string, at most. */
const RECORD_HEAD_BYTES = 5

/** Sends own records in batches and judges those of others. Nothing is sent again: gossipsub passes on what was accepted. */
export interface RecordGossip {
  start: () => void
  /** Sends what waits, then leaves the topic. */
  stop: () => Promise<void>
  /** Queues one encoded record; it leaves with others after a few milliseconds. */
  send: (record: Uint8Array) => void
}

export function createGossip (
  components: { topics: Topics, clock: Clock, logger: Logger, domain: Domain, intake: Intake }
): RecordGossip {
  const { topics, clock, logger, domain, intake } = components
  const topic = recordsTopic(domain.chainId)
  let waiting: Uint8Array[] = []
  let waitingBytes = BATCH_OVERHEAD_BYTES
  let cancelFlush: (() => void) | undefined
  let sentAtMs = 0
  let leave: (() => void) | undefined
  /** Batches leave one after the other. */
  let sending: Promise<void> = Promise.resolve()
  const judging = new Set<Promise<Validation>>()
  const queued = new Map<string, number>()
  const turns = createTurns()

  const flush = (): void => {
    cancelFlush?.()
    cancelFlush = undefined
    if (waiting.length === 0) return
    sentAtMs = clock.now()
    const batch = encodeBatch(domain, waiting)
    waiting = []
    waitingBytes = BATCH_OVERHEAD_BYTES
    sending = sending.then(async () => {
      for (let waitedMs = 0; !topics.hasRoom() && waitedMs < GOSSIP.roomMs; waitedMs += GOSSIP.flushMs) await clock.wait(GOSSIP.flushMs)
      await topics.publish(topic, batch)
    }).catch((error: unknown) => { logger.warn('book.gossip', { error: errorMessage(error) }) })
  }

  /**
   * One bad record makes its sender pay for the batch; one new record is reason enough to pass it on. Not beside one that was
   * ignored unverified: where clock or book differ it may count as a forgery, and we as who sent it.
   */
  const judge = async (data: Uint8Array, from: string): Promise<Validation> => {
    try {
      const admissions = await intake(decodeBatch(domain, data), from, 'gossip')
      const rejected = admissions.find(({ verdict }) => verdict === 'reject')
      if (rejected !== undefined) {
        logger.debug('book.rejected', { from, code: rejected.code })
        return 'reject'
      }
      const isSafe = admissions.every(({ verdict, isVerified }) => verdict === 'accept' || isVerified === true)
      return isSafe && admissions.some(({ verdict }) => verdict === 'accept') ? 'accept' : 'ignore'
    } catch (error) {
      logger.debug('book.rejected', { from, code: errorCode(error) })
      return errorCode(error) === 'WIRE_DOMAIN' ? 'ignore' : 'reject'
    }
  }

  /** Batches are looked at one a turn, peers in rotation; what does not fit is not looked at: the newest that nothing is known of goes first. */
  const validate = async (data: Uint8Array, from: string): Promise<Validation> => {
    const before = queued.get(from) ?? 0
    if (judging.size >= GOSSIP.maxQueued || before >= GOSSIP.maxQueuedPerPeer) return 'ignore'
    queued.set(from, before + 1)
    const mine = turns.wait(from).then(async () => await judge(data, from))
    judging.add(mine)
    try {
      return await mine
    } finally {
      judging.delete(mine)
      const left = (queued.get(from) ?? 1) - 1
      if (left > 0) queued.set(from, left)
      else queued.delete(from)
    }
  }

  return {
    start: () => { leave = topics.subscribe(topic, { maxBytes: MAX_BATCH_BYTES, validate }) },
    send: (record) => {
      if (waitingBytes + record.byteLength + RECORD_HEAD_BYTES > MAX_BATCH_BYTES) flush()
      waiting.push(record)
      waitingBytes += record.byteLength + RECORD_HEAD_BYTES
      // The first after a quiet moment goes at once; those close behind it travel together.
      if (waiting.length >= MAX_BATCH_RECORDS || clock.now() - sentAtMs >= GOSSIP.flushMs) flush()
      else cancelFlush ??= clock.after(GOSSIP.flushMs - (clock.now() - sentAtMs), flush)
    },
    stop: async () => {
      flush()
      await Promise.all([sending, ...judging])
      leave?.()
      leave = undefined
    }
  }
}
