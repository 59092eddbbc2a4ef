import type { Clock } from '../core/clock.ts'
import { errorCode, errorMessage } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { Topics, Validation } from '../mesh/topics.ts'
import { BATCH_OVERHEAD_BYTES, decodeBatch, encodeBatch, MAX_BATCH_BYTES, MAX_BATCH_RECORDS } from '../wire/record-batch.ts'
import { recordsTopic } from '../wire/topics.ts'
import type { Domain } from '../wire/typed-data.ts'
import type { Admission } from './admission.ts'
import { GOSSIP } from './options.ts'

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
  components: { topics: Topics, clock: Clock, logger: Logger, domain: Domain, ingest: (bytes: Uint8Array, from: string) => Admission }
): RecordGossip {
  const { topics, clock, logger, domain, ingest } = components
  const topic = recordsTopic(domain.chainId)
  let waiting: Uint8Array[] = []
  let waitingBytes = BATCH_OVERHEAD_BYTES
  let cancelFlush: (() => void) | undefined
  let leave: (() => void) | undefined
  const sending = new Set<Promise<void>>()
  let turn: Promise<unknown> = Promise.resolve()
  let queued = 0

  const flush = (): void => {
    cancelFlush?.()
    cancelFlush = undefined
    if (waiting.length === 0) return
    const batch = encodeBatch(domain, waiting)
    waiting = []
    waitingBytes = BATCH_OVERHEAD_BYTES
    const sent = topics.publish(topic, batch)
      .catch((error: unknown) => { logger.warn('book.gossip', { error: errorMessage(error) }) })
      .finally(() => { sending.delete(sent) })
    sending.add(sent)
  }

  /** One bad record makes its sender pay for the batch; one new record is reason enough to pass it on. */
  const judge = (data: Uint8Array, from: string): Validation => {
    let verdict: Validation = 'ignore'
    try {
      for (const bytes of decodeBatch(domain, data)) {
        const admission = ingest(bytes, from)
        if (admission.verdict === 'accept') verdict = 'accept'
        if (admission.verdict !== 'reject') continue
        logger.debug('book.rejected', { from, code: admission.code })
        return 'reject'
      }
    } catch (error) {
      logger.debug('book.rejected', { from, code: errorCode(error) })
      return errorCode(error) === 'WIRE_DOMAIN' ? 'ignore' : 'reject'
    }
    return verdict
  }

  /** Batches wait for their turn so that verification never holds the event loop for long; what does not fit is not looked at. */
  const validate = async (data: Uint8Array, from: string): Promise<Validation> => {
    if (queued >= GOSSIP.maxQueued) return 'ignore'
    queued++
    const mine = turn.then(async () => {
      await new Promise((resolve) => { setImmediate(resolve) })
      queued--
      return judge(data, from)
    })
    turn = mine
    return await mine
  }

  return {
    start: () => { leave = topics.subscribe(topic, { maxBytes: MAX_BATCH_BYTES, validate }) },
    send: (record) => {
      if (waitingBytes + record.byteLength + RECORD_HEAD_BYTES > MAX_BATCH_BYTES) flush()
      waiting.push(record)
      waitingBytes += record.byteLength + RECORD_HEAD_BYTES
      if (waiting.length >= MAX_BATCH_RECORDS) flush()
      else cancelFlush ??= clock.after(GOSSIP.flushMs, flush)
    },
    stop: async () => {
      flush()
      await Promise.all([...sending, turn])
      leave?.()
      leave = undefined
    }
  }
}
