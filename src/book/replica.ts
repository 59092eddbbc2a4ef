import type { Clock } from '../core/clock.ts'
import type { Startable } from '../core/lifecycle.ts'
import type { Logger } from '../core/logger.ts'
import type { Random } from '../core/random.ts'
import type { Mesh } from '../mesh/mesh.ts'
import type { Datastore } from '../store/datastore.ts'
import { encodeRecord, type SignedRecord } from '../wire/record.ts'
import type { Domain } from '../wire/typed-data.ts'
import { createAdmission, type Admission, type Path } from './admission.ts'
import { createBook, type Book, type Change } from './book.ts'
import { BookError } from './errors.ts'
import { createGossip } from './gossip.ts'
import { BOOK_DEFAULTS, BUCKET_MS, type BookOptions } from './options.ts'
import { createRecordStore } from './persistence.ts'
import { reconcileWith } from './reconcile.ts'
import { serveReconcile } from './reconcile-server.ts'
import { createSnapshots } from './snapshots.ts'
import { createSync, type PeerStatus } from './sync.ts'

/** This node's copy of the book: loaded from disk, kept current by gossip, made equal to its peers' by reconciliation. */
export interface BookReplica extends Startable {
  readonly book: Book
  /** Admits, writes to disk and gossips an own record. Resolves when it is safe on disk. BookError BOOK_NOT_ADMITTED with the refusing code in `data.code`. */
  publish: (record: SignedRecord) => Promise<void>
  status: () => { records: number, peers: PeerStatus[] }
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

/** What `merge` says of a record that admission had let through, as an admission code. */
const MERGE_CODES = { duplicate: 'BOOK_DUPLICATE', superseded: 'BOOK_SUPERSEDED', expired: 'BOOK_EXPIRED', future: 'BOOK_FUTURE', quota: 'BOOK_QUOTA' } as const

/** Start it after the datastore; the mesh may start before or after. */
export function createBookReplica (components: BookReplicaComponents, options: Partial<BookOptions> = {}): BookReplica {
  const { mesh, clock, domain } = components
  const logger = components.logger.child('book')
  const book = createBook({ domain }, options)
  const admit = createAdmission({ book, domain }, { ...BOOK_DEFAULTS, ...options })
  const store = createRecordStore({ ...components, logger })
  const snapshots = createSnapshots({ book, clock })
  const stops: Array<() => void> = []
  let cancelCollect: (() => void) | undefined
  let merging: SignedRecord | undefined

  const ingest = (bytes: Uint8Array, from: string, path: Path): Admission => {
    const nowMs = clock.now()
    const admission = admit(bytes, { from, path, nowMs })
    if (admission.record === undefined) return admission
    merging = admission.record
    const result = book.merge(admission.record, nowMs)
    merging = undefined
    if (result === 'added' || result === 'equivocation') return admission
    return { verdict: 'ignore', code: MERGE_CODES[result], id: admission.record.id }
  }
  const gossip = createGossip({ topics: mesh.topics, clock, logger, domain, ingest: (bytes, from) => ingest(bytes, from, 'gossip') })
  const sync = createSync({
    mesh, clock, logger, random: components.random,
    run: async (peerId, signal) => await reconcileWith({ requests: mesh.requests, book, snapshots, clock, domain, ingest: (bytes, from) => ingest(bytes, from, 'fetch') }, peerId, signal)
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
    if (entry.record.id !== merging?.id) gossip.send(encodeRecord(entry.record))
  }
  const scheduleCollect = (): void => {
    cancelCollect = clock.after(BUCKET_MS - clock.now() % BUCKET_MS, () => {
      book.collect(clock.now())
      scheduleCollect()
    })
  }
  /** Frozen authors and heads come out the same in any order; what ended while we were away is dropped from disk. */
  const load = async (): Promise<void> => {
    for (const { record, firstSeenMs } of await store.load()) {
      const result = book.merge(record, clock.now(), firstSeenMs)
      if (result !== 'added' && result !== 'equivocation' && result !== 'duplicate') store.drop(record.id)
    }
  }
  return {
    book,
    status: () => ({ records: book.size, peers: sync.status() }),
    reconcileNow: async (peerId, signal) => await sync.now(peerId, signal),
    publish: async (record) => {
      const bytes = encodeRecord(record)
      const admission = ingest(bytes, '', 'own')
      // A newer own record stands already: there is nothing left to say.
      if (admission.code === 'BOOK_SUPERSEDED') return
      if (admission.verdict !== 'accept' && admission.code !== 'BOOK_DUPLICATE') {
        throw new BookError('BOOK_NOT_ADMITTED', `own ${record.kind} record refused: ${admission.code ?? ''}`, { data: { id: record.id, code: admission.code } })
      }
      await store.flush({ sync: true })
      gossip.send(bytes)
    },
    start: async () => {
      await load()
      stops.push(book.onMember(onMember), serveReconcile({ requests: mesh.requests, book, snapshots, clock, domain, ingest: (bytes, from) => ingest(bytes, from, 'push'), onPage: sync.noteMoving }))
      gossip.start()
      sync.start()
      scheduleCollect()
    },
    stop: async () => {
      cancelCollect?.()
      await sync.stop()
      await gossip.stop()
      for (const stop of stops.splice(0)) stop()
      await store.close()
    }
  }
}
