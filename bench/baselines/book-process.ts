import { setTimeout as delay } from 'node:timers/promises'
import { createAdmission } from '../../src/book/admission.ts'
import { createBook } from '../../src/book/book.ts'
import { createIntake } from '../../src/book/intake.ts'
import { RECONCILE } from '../../src/book/options.ts'
import { createRecordStore } from '../../src/book/persistence.ts'
import { createSignaturePool } from '../../src/book/signature-pool.ts'
import { createManualClock, createSystemClock } from '../../src/core/clock.ts'
import { silentLogger as logger } from '../../src/core/logger.ts'
import { createDatastore } from '../../src/store/datastore.ts'
import { MAX_PAGE_RECORDS } from '../../src/wire/reconcile.ts'
import { decodeRecord } from '../../src/wire/record.ts'
import { secp256k1 } from '../../src/wire/secp256k1.ts'
import { DOMAIN, readRecords, T0 } from '../records.ts'

/**
 * One measurement in a process of its own: `MODE RECORDS_FILE [FOLDER] [THREADS]`; prints one JSON document. Modes: `recover`
 * (bare native recovery of every signature), `admit` (the whole way into the book), `hold` and `map` (resident memory of the
 * book, and of a plain Map of the same bytes), `save` and `load` (the book on disk and back).
 */
const [mode, path = '', folder = '', threads = '0'] = process.argv.slice(2)
/** Pages as reconciliation brings them, as many at a time as it asks for. */
const PAGE = MAX_PAGE_RECORDS
const PAGES_AT_ONCE = RECONCILE.pagesAtOnce
/** Records that are recovered, or admitted to another book, before the clock runs: a node compiles its code once, not once in 100,000 records. */
const WARM_UP = 10_000

interface Spent { wallMs: number, cpuMs: number }
async function spend (work: () => Promise<void> | void): Promise<Spent> {
  const cpu = process.cpuUsage()
  const started = performance.now()
  await work()
  const wallMs = performance.now() - started
  const { user, system } = process.cpuUsage(cpu)
  return { wallMs, cpuMs: (user + system) / 1000 }
}

function recover (records: readonly Uint8Array[]): Promise<Spent> {
  const signed = records.map((bytes) => {
    const { id, signature } = decodeRecord(DOMAIN, bytes)
    const compact = new Uint8Array(Buffer.from(signature.slice(2), 'hex'))
    const recid = (compact[32] as number) >> 7
    compact[32] = (compact[32] as number) & 0x7f
    return { compact, recid, digest: new Uint8Array(Buffer.from(id.slice(2), 'hex')) }
  })
  const run = (claims: typeof signed): void => { for (const { compact, recid, digest } of claims) secp256k1.ecdsaRecover(compact, recid, digest, false) }
  run(signed.slice(0, WARM_UP))
  return spend(() => { run(signed) })
}

async function admit (records: readonly Uint8Array[]): Promise<Spent & { size: number }> {
  const clock = createManualClock(T0)
  const pool = createSignaturePool({ clock, logger }, { size: Number(threads) })
  const run = async (all: readonly Uint8Array[]): Promise<number> => {
    const book = createBook({ domain: DOMAIN })
    const intake = createIntake({ admissions: createAdmission({ book, domain: DOMAIN }), pool, clock, merge: (record, nowMs, bytes) => book.merge(record, nowMs, { bytes }) })
    for (let at = 0; at < all.length; at += PAGE * PAGES_AT_ONCE) {
      await Promise.all(Array.from({ length: PAGES_AT_ONCE }, async (_, page) => await intake(all.slice(at + page * PAGE, at + (page + 1) * PAGE), 'peer', 'fetch')))
    }
    return book.size
  }
  await run(records.slice(0, WARM_UP))
  let size = 0
  const spent = await spend(async () => { size = await run(records) })
  await pool.stop()
  return { ...spent, size }
}

async function rssMiB (): Promise<number> {
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.()
    await delay(100)
  }
  return process.memoryUsage.rss() / 2 ** 20
}

/** Growth beside what reading the file took, which is let go of. */
async function hold (make: (records: Uint8Array[]) => unknown): Promise<{ mib: number }> {
  // Code and heap grow to their working size first.
  make((await readRecords(path)).slice(0, 2000))
  const before = await rssMiB()
  const held = make(await readRecords(path))
  const mib = await rssMiB() - before
  if (held === undefined) throw new Error('nothing is held')
  return { mib }
}

function bookOf (records: readonly Uint8Array[]): unknown {
  const book = createBook({ domain: DOMAIN })
  for (const bytes of records) book.merge(decodeRecord(DOMAIN, bytes), T0, { bytes })
  return book
}

async function onDisk (work: (store: ReturnType<typeof createRecordStore>) => Promise<void>): Promise<void> {
  const datastore = createDatastore({ logger }, { path: folder })
  await datastore.start()
  await work(createRecordStore({ datastore, clock: createSystemClock(), logger, domain: DOMAIN }, { secret: new Uint8Array(32) }))
  await datastore.stop()
}

const MODES: Record<string, () => Promise<unknown>> = {
  recover: async () => await recover(await readRecords(path)),
  admit: async () => await admit(await readRecords(path)),
  hold: async () => await hold(bookOf),
  map: async () => await hold((records) => new Map(records.map((bytes) => [decodeRecord(DOMAIN, bytes).id, bytes]))),
  save: async () => {
    const records = await readRecords(path)
    return await spend(async () => {
      await onDisk(async (store) => {
        for (const bytes of records) store.put({ record: decodeRecord(DOMAIN, bytes), firstSeenMs: T0, bytes })
        await store.close()
      })
    })
  },
  load: async () => {
    const book = createBook({ domain: DOMAIN })
    const spent = await spend(async () => {
      await onDisk(async (store) => { for (const { record, firstSeenMs, bytes } of await store.load()) book.merge(record, T0, { firstSeenMs, bytes }) })
    })
    return { ...spent, size: book.size }
  }
}
process.stdout.write(`${JSON.stringify(await MODES[mode ?? '']?.())}\n`)
