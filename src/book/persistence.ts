import { hash } from 'node:crypto'
import type { Clock } from '../core/clock.ts'
import { errorCode, errorMessage } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { Datastore, DatastoreOp } from '../store/datastore.ts'
import { restoreRecord } from '../wire/record.ts'
import type { Hash } from '../wire/shapes.ts'
import { domainSeparator, type Domain } from '../wire/typed-data.ts'
import type { Entry } from './book.ts'
import { PERSISTENCE } from './options.ts'

/**
 * The book on disk: `book/<id>` = tag (16 bytes) || firstSeenMs (8, big-endian) || the record's encoding.
 * The tag is the start of sha-256(secret || domain separator || key || rest). Signatures and hashes were verified before
 * writing and are not verified again: an entry whose tag fits is one that this node wrote. Any other, damaged or put there
 * by somebody who lacks the node's key, is dropped; reconciliation brings the true one back.
 */
export interface RecordStore {
  /** All intact entries. Damaged ones are deleted. */
  load: () => Promise<Entry[]>
  put: (entry: Entry) => void
  drop: (id: Hash) => void
  /** Resolves when everything so far is written; with `sync`, so that a power cut does not lose it. */
  flush: (options?: { sync: boolean }) => Promise<void>
  /** Why the last write failed; undefined while the disk holds what the book holds. */
  readonly problem: { code: string, message: string } | undefined
  /** Flushes and writes no more. */
  close: () => Promise<void>
}

const PREFIX = 'book/'
const SYNC_KEY = 'book-synced'
const TAG_BYTES = 16
const RECORD_AT = TAG_BYTES + 8

/** @param options.secret - 32 bytes that only this node knows. */
export function createRecordStore (components: { datastore: Datastore, clock: Clock, logger: Logger, domain: Domain }, options: { secret: Uint8Array }): RecordStore {
  const { datastore, clock, logger, domain } = components
  const prefix = Buffer.concat([options.secret, Buffer.from(domainSeparator(domain).slice(2), 'hex')])
  /** By key; encoded when it is written, which many at once take half the time for. */
  let pending = new Map<string, Entry | undefined>()
  let cancelTimer: (() => void) | undefined
  let writing: Promise<void> = Promise.resolve()
  /** The write that has not begun. */
  let waiting: Promise<void> | undefined
  let isSyncWanted = false
  let isUnsynced = false
  let isClosed = false
  let problem: RecordStore['problem']

  /** What could not be written waits with what came since, and is tried again. */
  const retain = (ops: ReadonlyMap<string, Entry | undefined>, error: unknown): void => {
    if (problem === undefined) logger.error('book.write', { code: errorCode(error), error: errorMessage(error), hint: 'The book goes on in memory and writes when it can.' })
    problem = { code: errorCode(error), message: errorMessage(error) }
    pending = new Map([...ops, ...pending])
    if (!isClosed) schedule(PERSISTENCE.retryMs)
  }
  const write = async (): Promise<void> => {
    const ops = pending
    const sync = isSyncWanted
    pending = new Map()
    isSyncWanted = false
    waiting = undefined
    // A synced write takes what was written before it to the disk too, so there must be one, of whatever.
    if (ops.size === 0 && !(sync && isUnsynced)) return
    const batch: DatastoreOp[] = [...ops].map(([key, entry]) => entry === undefined ? { delete: key } : { put: [key, encodeStored(prefix, entry)] })
    try {
      await datastore.batch(batch.length === 0 ? [{ put: [SYNC_KEY, new Uint8Array(0)] }] : batch, { sync })
      isUnsynced = !sync
      problem = undefined
    } catch (error) {
      retain(ops, error)
      throw error
    }
  }
  /** One write at a time; all that is asked for while it runs goes into the next, with one sync for all. */
  const flush = async ({ sync }: { sync: boolean } = { sync: false }): Promise<void> => {
    cancelTimer?.()
    cancelTimer = undefined
    isSyncWanted ||= sync
    if (waiting === undefined) {
      const mine = writing.then(write)
      waiting = mine
      writing = mine.catch(() => undefined)
    }
    await waiting
  }
  const schedule = (delayMs: number): void => {
    cancelTimer?.()
    // `retain` has said what went wrong.
    cancelTimer = clock.after(delayMs, () => { flush().catch(() => undefined) })
  }
  const note = (key: string, entry: Entry | undefined): void => {
    if (isClosed) return
    pending.set(key, entry)
    if (problem !== undefined || (pending.size < PERSISTENCE.maxOps && cancelTimer !== undefined)) return
    schedule(pending.size < PERSISTENCE.maxOps ? PERSISTENCE.flushMs : 0)
  }
  return {
    load: async () => {
      const entries: Entry[] = []
      const damaged: string[] = []
      for await (const page of datastore.pages(PREFIX)) {
        for (const [key, value] of page) {
          const entry = decodeStored(prefix, key, value)
          if (entry === undefined) damaged.push(key)
          else entries.push(entry)
        }
      }
      if (damaged.length > 0) {
        logger.warn('book.damaged', { entries: damaged.length })
        await datastore.batch(damaged.map((key) => ({ delete: key })))
      }
      return entries
    },
    put: (entry) => { note(PREFIX + entry.record.id, entry) },
    drop: (id) => { note(PREFIX + id, undefined) },
    flush,
    get problem () { return problem },
    close: async () => {
      isClosed = true
      await flush({ sync: true })
      cancelTimer?.()
    }
  }
}

function encodeStored (secret: Uint8Array, { record, firstSeenMs, bytes }: Entry): Uint8Array {
  const key = PREFIX + record.id
  const storedAt = secret.byteLength + key.length
  // One piece: what is hashed, and over the end of its key the tag, where what is stored begins. Written over from end to end.
  const whole = Buffer.allocUnsafe(storedAt + RECORD_AT - TAG_BYTES + bytes.byteLength)
  whole.set(secret)
  whole.write(key, secret.byteLength, 'latin1')
  whole.writeBigUInt64BE(BigInt(firstSeenMs), storedAt)
  whole.set(bytes, storedAt + RECORD_AT - TAG_BYTES)
  whole.set(hash('sha256', whole, 'buffer').subarray(0, TAG_BYTES), storedAt - TAG_BYTES)
  return whole.subarray(storedAt - TAG_BYTES)
}

/** Undefined for what this node did not write, or wrote in another form. */
function decodeStored (secret: Uint8Array, key: string, value: Uint8Array): Entry | undefined {
  const stored = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  if (stored.length <= RECORD_AT || !stored.subarray(0, TAG_BYTES).equals(tagOf(secret, key, stored.subarray(TAG_BYTES)))) return undefined
  const bytes = new Uint8Array(value.buffer, value.byteOffset + RECORD_AT, value.byteLength - RECORD_AT)
  try {
    return { record: restoreRecord(bytes, key.slice(PREFIX.length) as Hash), firstSeenMs: Number(stored.readBigUInt64BE(TAG_BYTES)), bytes }
  } catch {
    return undefined
  }
}

function tagOf (secret: Uint8Array, key: string, rest: Uint8Array): Uint8Array {
  return hash('sha256', Buffer.concat([secret, Buffer.from(key), rest]), 'buffer').subarray(0, TAG_BYTES)
}
