import type { LevelDatastore } from 'datastore-level'
import type { Libp2pOptions } from 'libp2p'
import { errorMessage } from '../core/errors.ts'
import type { Startable } from '../core/lifecycle.ts'
import type { Logger } from '../core/logger.ts'
import { assertUndamaged } from './damage.ts'
import { StoreError } from './errors.ts'
import { DISK_VERSION } from './options.ts'

export type DatastoreOp = { put: [string, Uint8Array] } | { delete: string }

/** Key-value store on disk. Keys are text in UTF-8 order. `sync` returns only when the data would survive a power cut. */
export interface Datastore extends Startable {
  get: (key: string) => Promise<Uint8Array | undefined>
  put: (key: string, value: Uint8Array, options?: { sync?: boolean }) => Promise<void>
  delete: (key: string) => Promise<void>
  /** All or nothing, in order. */
  batch: (ops: readonly DatastoreOp[], options?: { sync?: boolean }) => Promise<void>
  /** Every entry whose key starts with `prefix`, in order of keys, as of the start of the iteration. */
  entries: (prefix: string) => AsyncIterable<[string, Uint8Array]>
  /** The same by the thousand, for many: every step of an iteration costs a trip through promises. */
  pages: (prefix: string) => AsyncIterable<Array<[string, Uint8Array]>>
  /** What libp2p and Helia take; their keys are apart from ours. */
  readonly interface: InterfaceDatastore
}

/** interface-datastore's Datastore. */
export type InterfaceDatastore = NonNullable<Libp2pOptions['datastore']>

type Level = LevelDatastore['db']

/** Keys of libp2p and Helia start with `/`, so ours cannot meet them. */
const OWN = 'lily:'
const VERSION_KEY = `${OWN}~version`
/** Read at once by an iteration (library default: 16 KiB): every stretch costs a trip through the event loop. */
const READ_AHEAD_BYTES = 1024 * 1024
const PAGE_ENTRIES = 1000
const LAST_CHAR = '\u{10ffff}'
const encodeText = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A datastore at `path`, opened by `start`. StoreError STORE_LOCKED, STORE_CORRUPT, STORE_VERSION, STORE_FULL, STORE_IO, STORE_CLOSED. */
export function createDatastore (components: { logger: Logger }, options: { path: string }): Datastore {
  const logger = components.logger.child('datastore')
  let store: LevelDatastore | undefined

  const level = (): Level => {
    if (store === undefined) throw new StoreError('STORE_CLOSED', 'the datastore is not open')
    return store.db
  }
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw toStoreError(error, options.path)
    }
  }
  const writeOptions = (given: { sync?: boolean } | undefined): { sync: boolean } => ({ sync: given?.sync ?? false })
  async function * pages (prefix: string): AsyncGenerator<Array<[string, Uint8Array]>> {
    const iterator = level().iterator({ gte: OWN + prefix, lt: OWN + prefix + LAST_CHAR, highWaterMarkBytes: READ_AHEAD_BYTES })
    try {
      for (let page = await iterator.nextv(PAGE_ENTRIES); page.length > 0; page = await iterator.nextv(PAGE_ENTRIES)) {
        yield page.flatMap(([key, value]): Array<[string, Uint8Array]> => key === VERSION_KEY ? [] : [[key.slice(OWN.length), value]])
      }
    } catch (error) {
      throw toStoreError(error, options.path)
    } finally {
      await iterator.close()
    }
  }
  return {
    get interface () {
      level()
      return store as unknown as InterfaceDatastore
    },
    get: async (key) => await guarded(async () => await level().get(OWN + key)),
    put: async (key, value, given) => { await guarded(async () => { await level().put(OWN + key, value, writeOptions(given)) }) },
    delete: async (key) => { await guarded(async () => { await level().del(OWN + key) }) },
    batch: async (ops, given) => {
      const native = ops.map((op) => 'put' in op ? { type: 'put' as const, key: OWN + op.put[0], value: op.put[1] } : { type: 'del' as const, key: OWN + op.delete })
      await guarded(async () => { await level().batch(native, writeOptions(given)) })
    },
    entries: async function * (prefix) {
      for await (const page of pages(prefix)) yield * page
    },
    pages,
    start: async () => {
      if (store !== undefined) return
      const [{ LevelDatastore: Store }, { mkdir }] = await Promise.all([import('datastore-level'), import('node:fs/promises')])
      const opened = new Store(options.path)
      try {
        await mkdir(options.path, { recursive: true })
        // Not the wrapper's own `open`, which turns the cause into text.
        await opened.db.open()
        await assertUndamaged(options.path)
        await checkVersion(opened.db, options.path)
      } catch (error) {
        await opened.db.close()
        throw toStoreError(error, options.path)
      }
      store = opened
      logger.debug('opened', { path: options.path })
    },
    stop: async () => {
      const closing = store
      store = undefined
      if (closing === undefined) return
      detach(closing)
      await closing.db.close()
    }
  }
}

/**
 * libp2p still writes what it learnt about a peer while it stops, and nobody catches what that throws: the process would
 * end with an unhandled rejection. From here on writes through its interface do nothing and reads find nothing.
 */
function detach (store: LevelDatastore): void {
  store.put = async (key) => key
  store.delete = async () => undefined
  store.has = async () => false
  store.get = async () => { throw Object.assign(new StoreError('STORE_CLOSED', 'the datastore is not open'), { name: 'NotFoundError' }) }
  store.query = async function * () { yield * [] }
  store.queryKeys = async function * () { yield * [] }
}

async function checkVersion (db: Level, path: string): Promise<void> {
  const found = await db.get(VERSION_KEY)
  if (found !== undefined) {
    const version = new TextDecoder().decode(found)
    if (version !== String(DISK_VERSION)) throw versionError(path, version)
    return
  }
  for await (const key of db.keys({ limit: 1 })) throw versionError(path, `none, but it holds ${key.slice(0, 40)}`)
  await db.put(VERSION_KEY, encodeText(String(DISK_VERSION)), { sync: true } as Parameters<Level['put']>[2])
}

function versionError (path: string, found: string): StoreError {
  return new StoreError('STORE_VERSION', `the data in ${path} has version ${found}; this program knows ${DISK_VERSION}`, { data: { path, found, known: DISK_VERSION }, hint: 'Use the version of lilynode that wrote it, or another data folder.' })
}

/** Names the reason behind an error of LevelDB or the file system. */
export function toStoreError (error: unknown, path: string): StoreError {
  if (error instanceof StoreError) return error
  const codes: string[] = []
  const texts: string[] = []
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    codes.push('code' in at ? String(at.code) : '')
    texts.push(at.message)
  }
  const text = texts.join(': ')
  const context = { data: { path }, cause: error }
  if (codes.includes('LEVEL_LOCKED')) return new StoreError('STORE_LOCKED', `${path} is in use by another process`, { ...context, hint: 'Stop the other node, or give this one its own data folder.' })
  if (codes.includes('ENOSPC') || /no space left|disk quota exceeded/i.test(text)) return new StoreError('STORE_FULL', `no space left for ${path}`, { ...context, hint: 'Free some disk space and start the node again.' })
  if (codes.includes('LEVEL_CORRUPTION') || /corrupt/i.test(text)) return new StoreError('STORE_CORRUPT', `the data in ${path} is damaged: ${text}`, { ...context, hint: 'Restore it from a backup, or start with a new data folder.' })
  if (codes.includes('LEVEL_DATABASE_NOT_OPEN') && texts.length === 1) return new StoreError('STORE_CLOSED', 'the datastore is not open', context)
  return new StoreError('STORE_IO', `cannot use ${path}: ${text === '' ? errorMessage(error) : text}`, context)
}
