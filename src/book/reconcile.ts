import type { Clock } from '../core/clock.ts'
import type { Requests } from '../mesh/requests.ts'
import { decodeFetched, decodePushed, MAX_PAGE_RECORDS, MAX_PUSH_BYTES, MAX_ROUND_BYTES, RECONCILE_PROTOCOL, type PageQuery } from '../wire/reconcile.ts'
import type { Hash } from '../wire/shapes.ts'
import type { Domain } from '../wire/typed-data.ts'
import type { Admission } from './admission.ts'
import type { Book, Entry } from './book.ts'
import { compare, type Ask, type Ids } from './compare.ts'
import type { Intake } from './intake.ts'
import { BookError } from './errors.ts'
import { inLanes } from './lanes.ts'
import { RECONCILE } from './options.ts'
import { createPages } from './pages.ts'
import type { Snapshots } from './snapshots.ts'
import { createWanted, type Wanted } from './wanted.ts'

/**
 * What one session did. `missing` and `extra` are the differences that remain after the exchange, `differing` the shards they are
 * in, `unshared` our shards that the peer does not follow; `records` counts ours in the shards that both do.
 */
export interface Session { received: number, sent: number, missing: number, extra: number, records: number, bytes: number, isCut: boolean, differing: Set<number>, unshared: number[] }

export interface ReconcileComponents {
  requests: Pick<Requests, 'request' | 'openStream'>
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
  const { requests, clock } = components
  const onBytes = (bytes: number): void => { session.bytes += bytes }
  // Either part ends the other when it fails.
  const halt = new AbortController()
  const limits = AbortSignal.any([signal, halt.signal])
  const pages = createPages(components, { peer, onBytes })
  const askRound: Ask = async (round) => {
    const answer = await withTimeout(clock, limits, async (limited) => await requests.request(peer, RECONCILE_PROTOCOL, round, { signal: limited, maxBytes: MAX_ROUND_BYTES }))
    onBytes(round.byteLength + answer.byteLength)
    return answer
  }
  const ask: AskPage = async (query) => await withTimeout(clock, limits, async () => await pages.ask(query))
  const wanted = createWanted(MAX_PAGE_RECORDS)
  const have: Ids = new Map()
  const need: Ids = new Map()
  try {
    await untilBoth([
      compare(components, askRound, session, { have, need, onNeed: wanted.add }).finally(wanted.end),
      fetchAll(components, peer, ask, wanted, need, session)
    ], halt)
    await pushAll(components, ask, have, session)
    await withTimeout(clock, signal, pages.close)
    return session
  } finally {
    pages.abort(new BookError('BOOK_TIMEOUT', 'the session is over'))
  }
}

/** Resolves when both have; rejects with the first failure, after `halt` has ended the other. */
async function untilBoth (parts: ReadonlyArray<Promise<void>>, halt: AbortController): Promise<void> {
  const failures: unknown[] = []
  await Promise.all(parts.map(async (part) => {
    await part.catch((error: unknown) => {
      failures.push(error)
      halt.abort(error)
    })
  }))
  if (failures.length > 0) throw failures[0]
}

type AskPage = (query: PageQuery) => Promise<Uint8Array>

/** Pages until the peer gives nothing more, a few at a time, from the first full one that the rounds find: while one is verified the next is on its way. Each record passes admission like any other. */
async function fetchAll ({ book, intake }: ReconcileComponents, peer: string, ask: AskPage, wanted: Wanted, need: Ids, session: Session): Promise<void> {
  const miss = (id: Hash): void => {
    session.missing++
    session.differing.add(need.get(id) as number)
  }
  const fetchPage = async (ids: Hash[]): Promise<void> => {
    const open = new Set(ids)
    const page = decodeFetched(await ask({ type: 'fetch', ids }))
    for (const admission of await intake(page, peer, 'fetch')) {
      if (admission.verdict === 'reject' || admission.id === undefined) throw new BookError('BOOK_RECONCILE', 'the peer gave an invalid record', { data: { peer, code: admission.code } })
      if (!open.delete(admission.id)) throw new BookError('BOOK_RECONCILE', 'the peer gave a record that was not asked for', { data: { peer, id: admission.id } })
      if (admission.verdict === 'accept') session.received++
      else if (!isSettled(admission)) miss(admission.id)
    }
    // Gossip may have brought the rest in the meantime.
    const left = [...open].filter((id) => book.get(id) === undefined)
    if (page.length === 0) left.forEach(miss)
    else if (left.length > 0) wanted.add(left)
  }
  await inLanes(RECONCILE.pagesAtOnce, () => {
    const ids = wanted.take()
    if (ids !== undefined) return fetchPage(ids)
    return wanted.isEnded ? undefined : wanted.more()
  })
}

async function pushAll ({ book }: ReconcileComponents, ask: AskPage, have: Ids, session: Session): Promise<void> {
  const pushPage = async (page: Entry[]): Promise<void> => {
    const taken = new Set(decodePushed(await ask({ type: 'push', records: page.map(({ bytes }) => bytes) })))
    for (const { record: { id } } of page) {
      if (taken.has(id)) {
        session.sent++
        continue
      }
      session.extra++
      session.differing.add(have.get(id) as number)
    }
  }
  const pages = pagesOf(book, have.keys())
  await inLanes(RECONCILE.pushesAtOnce, () => {
    const page = pages.next().value
    return page === undefined ? undefined : pushPage(page)
  })
}

/** What is still held of `ids`, in pages that go out together. */
function * pagesOf (book: Book, ids: Iterable<Hash>): Generator<Entry[], undefined> {
  let page: Entry[] = []
  let pageBytes = 0
  for (const id of ids) {
    const entry = book.get(id)
    if (entry === undefined) continue
    if (page.length >= MAX_PAGE_RECORDS || pageBytes + entry.bytes.byteLength > MAX_PUSH_BYTES) {
      yield page
      page = []
      pageBytes = 0
    }
    page.push(entry)
    pageBytes += entry.bytes.byteLength
  }
  if (page.length > 0) yield page
  return undefined
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
