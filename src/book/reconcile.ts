import type { Clock } from '../core/clock.ts'
import type { Requests } from '../mesh/requests.ts'
import {
  decodeFetched, decodePushed, encodePageQuery, MAX_PAGE_BYTES, MAX_PAGE_RECORDS, MAX_RECONCILE_BYTES, MAX_ROUND_BYTES, RECONCILE_PROTOCOL,
  RECORDS_PROTOCOL
} from '../wire/reconcile.ts'
import type { Hash } from '../wire/shapes.ts'
import type { Domain } from '../wire/typed-data.ts'
import type { Admission } from './admission.ts'
import type { Book } from './book.ts'
import { compare, type Ask, type Ids } from './compare.ts'
import type { Intake } from './intake.ts'
import { BookError } from './errors.ts'
import { RECONCILE } from './options.ts'
import type { Snapshots } from './snapshots.ts'

/**
 * What one session did. `missing` and `extra` are the differences that remain after the exchange, `differing` the shards they are
 * in, `unshared` our shards that the peer does not follow; `records` counts ours in the shards that both do.
 */
export interface Session { received: number, sent: number, missing: number, extra: number, records: number, bytes: number, isCut: boolean, differing: Set<number>, unshared: number[] }

export interface ReconcileComponents {
  requests: Pick<Requests, 'request'>
  book: Book
  snapshots: Snapshots
  clock: Clock
  domain: Domain
  intake: Intake
}

/**
 * protocol/reconcile.md, the asking side: compares the shards that both follow with one peer, fetches what we lack, pushes what it lacks.
 * Rejects with the peer's error, with BookError BOOK_RECONCILE when the peer breaks the protocol (gives records that were not
 * asked for or that no honest node holds), or with the signal's reason.
 */
export async function reconcileWith (components: ReconcileComponents, peer: string, signal: AbortSignal): Promise<Session> {
  const session: Session = { received: 0, sent: 0, missing: 0, extra: 0, records: 0, bytes: 0, isCut: false, differing: new Set(), unshared: [] }
  const ask = async (protocol: string, payload: Uint8Array): Promise<Uint8Array> => {
    const answer = await withTimeout(components.clock, signal, async (limited) => await components.requests.request(peer, protocol, payload, { signal: limited, maxBytes: protocol === RECONCILE_PROTOCOL ? MAX_ROUND_BYTES : MAX_RECONCILE_BYTES }))
    session.bytes += payload.byteLength + answer.byteLength
    return answer
  }
  const { have, need } = await compare(components, ask, session)
  await fetchAll(components, peer, ask, need, session)
  await pushAll(components, ask, have, session)
  return session
}

/** Pages until the peer gives nothing more, a few at a time: while one is verified the next is on its way. Each record passes admission like any other. */
async function fetchAll ({ domain, book, intake }: ReconcileComponents, peer: string, ask: Ask, need: Ids, session: Session): Promise<void> {
  const wanted = [...need.keys()]
  const miss = (id: Hash): void => {
    session.missing++
    session.differing.add(need.get(id) as number)
  }
  let at = 0
  let isBroken = false
  const fetchPage = async (ids: Hash[]): Promise<void> => {
    const open = new Set(ids)
    const page = decodeFetched(await ask(RECORDS_PROTOCOL, encodePageQuery(domain, { type: 'fetch', ids })))
    for (const admission of await intake(page, peer, 'fetch')) {
      if (admission.verdict === 'reject' || admission.id === undefined) throw new BookError('BOOK_RECONCILE', 'the peer gave an invalid record', { data: { peer, code: admission.code } })
      if (!open.delete(admission.id)) throw new BookError('BOOK_RECONCILE', 'the peer gave a record that was not asked for', { data: { peer, id: admission.id } })
      if (admission.verdict === 'accept') session.received++
      else if (!isSettled(admission)) miss(admission.id)
    }
    // Gossip may have brought the rest in the meantime.
    const left = [...open].filter((id) => book.get(id) === undefined)
    if (page.length === 0) left.forEach(miss)
    else wanted.push(...left)
  }
  const lane = async (): Promise<void> => {
    try {
      while (at < wanted.length && !isBroken) {
        const ids = wanted.slice(at, at + MAX_PAGE_RECORDS)
        at += ids.length
        await fetchPage(ids)
      }
    } catch (error) {
      isBroken = true
      throw error
    }
  }
  const lanes = await Promise.allSettled(Array.from({ length: RECONCILE.pagesAtOnce }, lane))
  const failed = lanes.find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

async function pushAll ({ domain, book }: ReconcileComponents, ask: Ask, have: Ids, session: Session): Promise<void> {
  let page: Array<[Hash, Uint8Array]> = []
  let pageBytes = 0
  const flush = async (): Promise<void> => {
    if (page.length === 0) return
    const taken = new Set(decodePushed(await ask(RECORDS_PROTOCOL, encodePageQuery(domain, { type: 'push', records: page.map(([, bytes]) => bytes) }))))
    for (const [id] of page) {
      if (taken.has(id)) {
        session.sent++
        continue
      }
      session.extra++
      session.differing.add(have.get(id) as number)
    }
    page = []
    pageBytes = 0
  }
  for (const id of have.keys()) {
    const entry = book.get(id)
    if (entry === undefined) continue
    const { bytes } = entry
    if (page.length >= MAX_PAGE_RECORDS || pageBytes + bytes.byteLength > MAX_PAGE_BYTES) await flush()
    page.push([id, bytes])
    pageBytes += bytes.byteLength
  }
  await flush()
}

/** Whether a record need not be sent again: it is held, or the book is past it. */
export function isSettled (admission: Admission): boolean {
  return admission.verdict === 'accept' || ['BOOK_DUPLICATE', 'BOOK_SUPERSEDED', 'BOOK_EXPIRED'].includes(admission.code ?? '')
}

async function withTimeout<T> (clock: Clock, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  signal.throwIfAborted()
  const limited = new AbortController()
  // A transport that does not heed the signal must not hold the session either.
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  limited.signal.addEventListener('abort', () => { reject(limited.signal.reason) }, { once: true })
  const onAbort = (): void => { limited.abort(signal.reason) }
  signal.addEventListener('abort', onAbort, { once: true })
  const cancel = clock.after(RECONCILE.requestTimeoutMs, () => { limited.abort(new BookError('BOOK_TIMEOUT', 'the peer does not answer')) })
  try {
    return await Promise.race([work(limited.signal), aborted])
  } finally {
    cancel()
    signal.removeEventListener('abort', onAbort)
  }
}
