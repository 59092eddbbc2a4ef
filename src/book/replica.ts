import type { Clock } from '../core/clock.ts'
import type { Startable } from '../core/lifecycle.ts'
import type { Logger } from '../core/logger.ts'
import type { Random } from '../core/random.ts'
import type { Mesh } from '../mesh/mesh.ts'
import type { Datastore } from '../store/datastore.ts'
import { encodeRecord, type SignedRecord } from '../wire/record.ts'
import { COMMON_SHARD, recordShard } from '../wire/shard.ts'
import type { Domain } from '../wire/typed-data.ts'
import { createAdmission } from './admission.ts'
import { createBook, type Book, type Change, type MergeResult } from './book.ts'
import { BookError } from './errors.ts'
import { createGossip } from './gossip.ts'
import { createIntake } from './intake.ts'
import { BOOK_DEFAULTS, BUCKET_MS, type BookOptions } from './options.ts'
import { servePages } from './page-server.ts'
import { createRecordStore } from './persistence.ts'
import { reconcileWith } from './reconcile.ts'
import { serveReconcile } from './reconcile-server.ts'
import { createSignaturePool } from './signature-pool.ts'
import { createSnapshots } from './snapshots.ts'
import { createSync, type PeerStatus } from './sync.ts'

/** This node's copy of the shards it follows: loaded from disk, kept current by gossip, made equal to its peers' by reconciliation. */
export interface BookReplica extends Startable {
  readonly book: Book
  /** Admits, writes to disk and gossips an own record. Resolves when it is safe on disk. BookError BOOK_NOT_ADMITTED with the refusing code in `data.code`. */
  publish: (record: SignedRecord) => Promise<void>
  /** `problem`: why records are held in memory only, as on a full disk. */
  status: () => { records: number, peers: PeerStatus[], problem: { code: string, message: string } | undefined }
  /** One session with a peer, whatever the schedule says. BookError BOOK_RECONCILE, BOOK_TIMEOUT; RequestError. */
  reconcileNow: (peerId: string, signal: AbortSignal) => Promise<{ received: number, sent: number }>
}

export interface BookReplicaComponents {
  mesh: Pick<Mesh, 'topics' | 'requests' | 'peers' | 'onPeer'>
  datastore: Datastore
  clock: Clock
  logger: Logger
  domain: Domain
  random: Random
}

/** Start it after the datastore; the mesh may start before or after. */
/** @param options.secret - 32 bytes of this node alone, by which it knows its own records on disk. */
export function createBookReplica (components: BookReplicaComponents, options: Partial<BookOptions> & { secret: Uint8Array }): BookReplica {
  const { mesh, clock, domain } = components
  const logger = components.logger.child('book')
  const book = createBook({ domain }, options)
  const pool = createSignaturePool({ clock, logger })
  const store = createRecordStore({ ...components, logger }, { secret: options.secret })
  const snapshots = createSnapshots({ book, clock })
  const stops: Array<() => void> = []
  let cancelCollect: (() => void) | undefined
  let merging: SignedRecord | undefined

  const merge = (record: SignedRecord, nowMs: number, bytes: Uint8Array): MergeResult => {
    merging = record
    const result = book.merge(record, nowMs, { bytes })
    merging = undefined
    return result
  }
  const intake = createIntake({ admissions: createAdmission({ book, domain }, { ...BOOK_DEFAULTS, ...options }), pool, clock, merge })
  const gossip = createGossip({ topics: mesh.topics, clock, logger, domain, intake }, { shards: book.shards })
  const sync = createSync({
    mesh, clock, logger, random: components.random,
    run: async (peerId, signal) => await reconcileWith({ requests: mesh.requests, book, snapshots, clock, domain, intake }, peerId, signal)
  })

  const onMember = ({ type, entry }: Change): void => {
    if (type === 'removed') {
      store.drop(entry.record.id)
      return
    }
    store.put(entry)
    if (entry.record.kind !== 'equivocation') return
    logger.warn('book.equivocation', { account: entry.record.account, operator: entry.record.operator, seq: entry.record.seq })
    // Found here: others may never see both sides of it.
    if (entry.record.id !== merging?.id) gossip.send(entry.bytes, COMMON_SHARD)
  }
  const scheduleCollect = (): void => {
    cancelCollect = clock.after(BUCKET_MS - clock.now() % BUCKET_MS, () => {
      book.collect(clock.now())
      scheduleCollect()
    })
  }
  /** Frozen authors and heads come out the same in any order; what ended while we were away, or is followed no more, is dropped from disk. */
  const load = async (): Promise<void> => {
    let unfollowed = 0
    for (const { record, firstSeenMs, bytes } of await store.load()) {
      const result = book.merge(record, clock.now(), { firstSeenMs, bytes })
      if (result !== 'added' && result !== 'equivocation' && result !== 'duplicate') store.drop(record.id)
      if (result === 'unfollowed') unfollowed++
    }
    if (unfollowed > 0) logger.info('book.unfollowed', { records: unfollowed, shards: book.shards, hint: 'Records of shards that this node follows no more were dropped.' })
  }
  return {
    book,
    status: () => ({ records: book.size, peers: sync.status(), problem: store.problem }),
    reconcileNow: async (peerId, signal) => await sync.now(peerId, signal),
    publish: async (record) => {
      const bytes = encodeRecord(record)
      const [admission] = await intake([bytes], '', 'own')
      // A newer own record stands already: there is nothing left to say.
      if (admission?.code === 'BOOK_SUPERSEDED') return
      if (admission?.verdict !== 'accept' && admission?.code !== 'BOOK_DUPLICATE') {
        throw new BookError('BOOK_NOT_ADMITTED', `own ${record.kind} record refused: ${admission?.code ?? ''}`, { data: { id: record.id, code: admission?.code }, ...(admission?.code === 'BOOK_SHARD' ? { hint: 'The node does not follow the market of this record; see --markets.' } : {}) })
      }
      // Its author has slot, seq and body on disk since before it was signed (`author-store.ts`): a power cut now loses no more than this copy, so the record need not wait.
      gossip.send(bytes, recordShard(record))
      await store.flush({ sync: true })
    },
    start: async () => {
      await load()
      const { requests } = mesh
      stops.push(book.onMember(onMember), serveReconcile({ requests, book, snapshots, clock, domain }), servePages({ requests, book, clock, domain, intake, onPage: sync.noteMoving }))
      gossip.start()
      sync.start()
      scheduleCollect()
    },
    stop: async () => {
      cancelCollect?.()
      await sync.stop()
      await gossip.stop()
      await pool.stop()
      for (const stop of stops.splice(0)) stop()
      await store.close()
    }
  }
}
