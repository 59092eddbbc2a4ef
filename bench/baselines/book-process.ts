import { setTimeout as delay } from 'node:timers/promises'
import { createAdmission } from '../../src/book/admission.ts'
import { createBook, type Book } from '../../src/book/book.ts'
import { createIntake } from '../../src/book/intake.ts'
import { PERSISTENCE, RECONCILE } from '../../src/book/options.ts'
import { createRecordStore } from '../../src/book/persistence.ts'
import { createSignaturePool, type SignaturePool } from '../../src/book/signature-pool.ts'
import { createManualClock, createSystemClock } from '../../src/core/clock.ts'
import { silentLogger as logger } from '../../src/core/logger.ts'
import { createDatastore } from '../../src/store/datastore.ts'
import { MAX_PAGE_RECORDS } from '../../src/wire/reconcile.ts'
import { decodeRecord } from '../../src/wire/record.ts'
import { secp256k1 } from '../../src/wire/secp256k1.ts'
import { DOMAIN, readRecords, T0 } from '../records.ts'

/**
 * One measurement in a process of its own: `MODE RECORDS_FILE [FOLDER] [THREADS]`; prints one JSON document. Modes: `admit`
 * (the whole way into the book, beside bare native recovery of every signature), `hold` and `map` (resident memory of the
 * book, and of a plain Map of the same bytes), `save` and `load` (the book on disk and back).
 */
const [mode, path = '', folder = '', threads = '0'] = process.argv.slice(2)
/** Pages as reconciliation brings them, as many at a time as it asks for. */
const PAGE = MAX_PAGE_RECORDS
const PAGES_AT_ONCE = RECONCILE.pagesAtOnce
/** Records that are recovered and admitted before the clock runs, to the same book: code is compiled once in a node, not once in 100,000 records, and for its one book. */
const WARM_UP = 20_000
/** Records that are recovered, then admitted, at a time: 0.2 s. */
const STRETCH = PAGE * PAGES_AT_ONCE * 8

/** `cpuMs`: of all threads of the process. */
interface Spent { wallMs: number, cpuMs: number }
async function spend (work: () => Promise<void> | void): Promise<Spent & { threadMs: number }> {
  const cpu = process.cpuUsage()
  const thread = process.threadCpuUsage()
  const started = performance.now()
  await work()
  const wallMs = performance.now() - started
  const ms = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1000
  return { wallMs, cpuMs: ms(process.cpuUsage(cpu)), threadMs: ms(process.threadCpuUsage(thread)) }
}

const PUBLIC_KEY = new Uint8Array(65)
interface Signed { compact: Uint8Array, recid: number, digest: Uint8Array }
function signedOf (bytes: Uint8Array): Signed {
  const { id, signatureBytes } = decodeRecord(DOMAIN, bytes)
  const compact = new Uint8Array(signatureBytes)
  const recid = (compact[32] as number) >> 7
  compact[32] = (compact[32] as number) & 0x7f
  return { compact, recid, digest: new Uint8Array(Buffer.from(id.slice(2), 'hex')) }
}
/** The call that admission makes for each claim, and nothing else. */
function recover (all: readonly Signed[]): void {
  for (const { compact, recid, digest } of all) secp256k1.ecdsaRecover(compact, recid, digest, false, PUBLIC_KEY)
}

/** The way into a book, in pages. */
function wayInto (book: Book, pool: SignaturePool): (records: readonly Uint8Array[]) => Promise<void> {
  const intake = createIntake({ admissions: createAdmission({ book, domain: DOMAIN }), pool, clock: createManualClock(T0), merge: (record, nowMs, bytes) => book.merge(record, nowMs, { bytes }) })
  return async (records) => {
    for (let at = 0; at < records.length; at += PAGE * PAGES_AT_ONCE) {
      await Promise.all(Array.from({ length: PAGES_AT_ONCE }, async (_, page) => await intake(records.slice(at + page * PAGE, at + (page + 1) * PAGE), 'peer', 'fetch')))
    }
  }
}

/**
 * Bare recovery and admission of the same records, a stretch of each in turn: a core that becomes slower does so for both. All
 * that other threads of the process do meanwhile, collecting garbage and compiling, is counted as admission's.
 */
async function admit (records: readonly Uint8Array[]): Promise<{ size: number, measured: number, admitted: Spent, recovered: Spent }> {
  const pool = createSignaturePool({ clock: createManualClock(T0), logger }, { size: Number(threads) })
  const book = createBook({ domain: DOMAIN })
  const admitAll = wayInto(book, pool)
  recover(records.slice(0, WARM_UP).map(signedOf))
  await admitAll(records.slice(0, WARM_UP))
  const admitted = { wallMs: 0, cpuMs: 0 }
  const recovered = { wallMs: 0, cpuMs: 0 }
  for (let at = WARM_UP; at < records.length; at += STRETCH) {
    const stretch = records.slice(at, at + STRETCH)
    const signed = stretch.map(signedOf)
    const bare = await spend(() => { recover(signed) })
    const whole = await spend(async () => { await admitAll(stretch) })
    recovered.wallMs += bare.wallMs
    recovered.cpuMs += bare.threadMs
    admitted.wallMs += whole.wallMs
    admitted.cpuMs += whole.cpuMs + bare.cpuMs - bare.threadMs
  }
  await pool.stop()
  return { size: book.size, measured: records.length - WARM_UP, admitted, recovered }
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
  admit: async () => await admit(await readRecords(path)),
  hold: async () => await hold(bookOf),
  map: async () => await hold((records) => new Map(records.map((bytes) => [decodeRecord(DOMAIN, bytes).id, bytes]))),
  save: async () => {
    const records = await readRecords(path)
    return await spend(async () => {
      await onDisk(async (store) => {
        for (const [index, bytes] of records.entries()) {
          store.put({ record: decodeRecord(DOMAIN, bytes), firstSeenMs: T0, bytes })
          // As a node writes them: never all in one batch, whose log the next start would have to read and write anew.
          if ((index + 1) % PERSISTENCE.maxOps === 0) await store.flush()
        }
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
