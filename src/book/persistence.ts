import { hash } from 'node:crypto'
import { equals } from 'uint8arrays/equals'
import { z } from 'zod'
import type { Clock } from '../core/clock.ts'
import { errorMessage } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { Datastore } from '../store/datastore.ts'
import { decodeCbor, encodeCbor } from '../wire/cbor.ts'
import { decodeRecord, MAX_RECORD_BYTES } from '../wire/record.ts'
import { parseShape, type Hash, uintShape } from '../wire/shapes.ts'
import type { Domain } from '../wire/typed-data.ts'
import type { Entry } from './book.ts'
import { PERSISTENCE } from './options.ts'

/**
 * The book on disk: `book/<id>` = 16 bytes of sha-256(key || rest), then CBOR [1, firstSeenMs, record bytes].
 * Signatures were verified before writing and are not verified again. In their place: the id is computed anew from head and
 * body and must be the key's, and the checksum covers what the id does not (signature, delegation, time). An entry that
 * fails either is dropped; reconciliation brings it back.
 */
export interface RecordStore {
  /** All intact entries. Damaged ones are deleted. */
  load: () => Promise<Entry[]>
  put: (entry: Entry) => void
  drop: (id: Hash) => void
  /** Resolves when everything so far is written; with `sync`, so that a power cut does not lose it. */
  flush: (options?: { sync: boolean }) => Promise<void>
  /** Flushes and writes no more. */
  close: () => Promise<void>
}

const PREFIX = 'book/'
const CHECK_BYTES = 16
const storedShape = z.tuple([z.literal(1), uintShape, z.instanceof(Uint8Array)])

export function createRecordStore (components: { datastore: Datastore, clock: Clock, logger: Logger, domain: Domain }): RecordStore {
  const { datastore, clock, logger, domain } = components
  let pending = new Map<string, Uint8Array | undefined>()
  let cancelTimer: (() => void) | undefined
  let writing: Promise<void> = Promise.resolve()
  let isClosed = false

  const flush = async (options: { sync: boolean } = { sync: false }): Promise<void> => {
    cancelTimer?.()
    cancelTimer = undefined
    const ops = [...pending].map(([key, value]) => value === undefined ? { delete: key } : { put: [key, value] as [string, Uint8Array] })
    pending = new Map()
    const previous = writing
    const write = async (): Promise<void> => {
      await previous.catch((error: unknown) => { logger.error('book.write', { error: errorMessage(error) }) })
      if (ops.length > 0) await datastore.batch(ops, options)
    }
    writing = write()
    await writing
  }
  const note = (key: string, value: Uint8Array | undefined): void => {
    if (isClosed) return
    pending.set(key, value)
    if (pending.size < PERSISTENCE.maxOps && cancelTimer !== undefined) return
    cancelTimer?.()
    cancelTimer = clock.after(pending.size < PERSISTENCE.maxOps ? PERSISTENCE.flushMs : 0, () => {
      flush().catch((error: unknown) => { logger.error('book.write', { error: errorMessage(error) }) })
    })
  }
  return {
    load: async () => {
      const entries: Entry[] = []
      const damaged: string[] = []
      for await (const [key, value] of datastore.entries(PREFIX)) {
        const entry = decodeStored(domain, key, value)
        if (entry === undefined) damaged.push(key)
        else entries.push(entry)
      }
      if (damaged.length > 0) {
        logger.warn('book.damaged', { entries: damaged.length })
        await datastore.batch(damaged.map((key) => ({ delete: key })))
      }
      return entries
    },
    put: (entry) => { note(PREFIX + entry.record.id, encodeStored(entry)) },
    drop: (id) => { note(PREFIX + id, undefined) },
    flush,
    close: async () => {
      await flush({ sync: true })
      isClosed = true
    }
  }
}

function encodeStored ({ record, firstSeenMs, bytes }: Entry): Uint8Array {
  const rest = encodeCbor([1, firstSeenMs, bytes])
  return Buffer.concat([checksum(PREFIX + record.id, rest), rest])
}

function decodeStored (domain: Domain, key: string, value: Uint8Array): Entry | undefined {
  const rest = value.subarray(CHECK_BYTES)
  if (!equals(checksum(key, rest), value.subarray(0, CHECK_BYTES))) return undefined
  try {
    const [, firstSeenMs, bytes] = parseShape(storedShape, decodeCbor(rest, MAX_RECORD_BYTES + 64), 'stored record')
    const record = decodeRecord(domain, bytes)
    return PREFIX + record.id === key ? { record, firstSeenMs, bytes } : undefined
  } catch {
    // Written by another version or for another deployment: not ours any more.
    return undefined
  }
}

function checksum (key: string, rest: Uint8Array): Uint8Array {
  return hash('sha256', Buffer.concat([Buffer.from(key), rest]), 'buffer').subarray(0, CHECK_BYTES)
}
