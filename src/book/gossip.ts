import type { Clock } from '../core/clock.ts'
import { errorCode, errorMessage } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { Topics, Validation } from '../mesh/topics.ts'
import { decodeBatch, encodeBatch, MAX_BATCH_BYTES } from '../wire/record-batch.ts'
import { recordsTopic } from '../wire/topics.ts'
import type { Domain } from '../wire/typed-data.ts'
import type { Intake } from './intake.ts'
import { GOSSIP } from './options.ts'
import { createOutbox } from './outbox.ts'
import { createTurns } from './turns.ts'

/** Sends own records in batches and judges those of others, each shard on its topic; what may be under way is bounded for all together. Nothing is sent again: gossipsub passes on what was accepted. */
export interface RecordGossip {
  start: () => void
  /** Sends what waits, then leaves the topics. */
  stop: () => Promise<void>
  /** Queues one encoded record of a followed shard; it leaves with others after a few milliseconds. */
  send: (record: Uint8Array, shard: number) => void
}

export function createGossip (
  components: { topics: Topics, clock: Clock, logger: Logger, domain: Domain, intake: Intake },
  options: { shards: readonly number[] }
): RecordGossip {
  const { topics, clock, logger, domain, intake } = components
  let leaves: Array<() => void> = []
  /** Batches leave one after the other. */
  let sending: Promise<void> = Promise.resolve()
  const judging = new Set<Promise<Validation>>()
  const queued = new Map<string, number>()
  const turns = createTurns()

  const sendBatch = (shard: number, records: readonly Uint8Array[]): void => {
    const batch = encodeBatch(domain, records)
    sending = sending.then(async () => {
      for (let waitedMs = 0; !topics.hasRoom() && waitedMs < GOSSIP.roomMs; waitedMs += GOSSIP.flushMs) await clock.wait(GOSSIP.flushMs)
      await topics.publish(recordsTopic(domain.chainId, shard), batch)
    }).catch((error: unknown) => { logger.warn('book.gossip', { error: errorMessage(error) }) })
  }
  const outboxes = new Map(options.shards.map((shard) => [shard, createOutbox({ clock, send: (records) => { sendBatch(shard, records) } })]))

  /**
   * One bad record makes its sender pay for the batch; one new record is reason enough to pass it on. Not beside one that was
   * ignored unverified: where clock or book differ it may count as a forgery, and we as who sent it.
   */
  const judge = async (data: Uint8Array, from: string, shard: number): Promise<Validation> => {
    try {
      const admissions = await intake(decodeBatch(domain, data), from, 'gossip', shard)
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
  const validate = async (data: Uint8Array, from: string, shard: number): Promise<Validation> => {
    const before = queued.get(from) ?? 0
    if (judging.size >= GOSSIP.maxQueued || before >= GOSSIP.maxQueuedPerPeer) return 'ignore'
    queued.set(from, before + 1)
    const mine = turns.wait(from).then(async () => await judge(data, from, shard))
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
    start: () => {
      leaves = options.shards.map((shard) => topics.subscribe(recordsTopic(domain.chainId, shard), { maxBytes: MAX_BATCH_BYTES, validate: async (data, from) => await validate(data, from, shard) }))
    },
    send: (record, shard) => { outboxes.get(shard)?.add(record) },
    stop: async () => {
      for (const outbox of outboxes.values()) outbox.flush()
      await Promise.all([sending, ...judging])
      for (const leave of leaves.splice(0)) leave()
    }
  }
}
