import type { Clock } from '../core/clock.ts'
import { BATCH_OVERHEAD_BYTES, MAX_BATCH_BYTES, MAX_BATCH_RECORDS } from '../wire/record-batch.ts'
import { GOSSIP } from './options.ts'

/** CBOR's head of a byte string, at most. */
const RECORD_HEAD_BYTES = 5

/** Own records of one shard on their way out: the first after a quiet moment goes at once, those close behind it travel together. */
export interface Outbox {
  add: (record: Uint8Array) => void
  /** Sends what waits. */
  flush: () => void
}

/** @param send - gets encoded records that fit into one message. */
export function createOutbox (components: { clock: Clock, send: (records: readonly Uint8Array[]) => void }): Outbox {
  const { clock, send } = components
  let waiting: Uint8Array[] = []
  let waitingBytes = BATCH_OVERHEAD_BYTES
  let cancelFlush: (() => void) | undefined
  let sentAtMs = 0

  const flush = (): void => {
    cancelFlush?.()
    cancelFlush = undefined
    if (waiting.length === 0) return
    sentAtMs = clock.now()
    const records = waiting
    waiting = []
    waitingBytes = BATCH_OVERHEAD_BYTES
    send(records)
  }
  return {
    add: (record) => {
      const bytes = record.byteLength + RECORD_HEAD_BYTES
      if (waitingBytes + bytes > MAX_BATCH_BYTES) flush()
      waiting.push(record)
      waitingBytes += bytes
      if (waiting.length >= MAX_BATCH_RECORDS || clock.now() - sentAtMs >= GOSSIP.flushMs) flush()
      else cancelFlush ??= clock.after(GOSSIP.flushMs - (clock.now() - sentAtMs), flush)
    },
    flush
  }
}
