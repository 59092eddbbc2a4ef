import type { Clock } from '../core/clock.ts'
import type { Requests } from '../mesh/requests.ts'
import { decodePageQuery, encodeFetched, encodePushed, MAX_PAGE_BYTES, MAX_RECONCILE_BYTES, MAX_UNREAD_BYTES, RECORDS_PROTOCOL } from '../wire/reconcile.ts'
import type { Hash } from '../wire/shapes.ts'
import type { Domain } from '../wire/typed-data.ts'
import type { Book } from './book.ts'
import { BookError } from './errors.ts'
import type { Intake } from './intake.ts'
import { PAGE_RATE, RECONCILE } from './options.ts'
import { isSettled } from './reconcile.ts'
import { createTokenBuckets } from './token-bucket.ts'

/** protocol/reconcile.md, "Pages", the answering side. Keeps nothing between queries. Returns how to stop. */
export function servePages (components: {
  requests: Pick<Requests, 'serveStream'>, book: Pick<Book, 'get'>, clock: Clock, domain: Domain, intake: Intake
  /** A peer asked for records or sent some. */
  onPage: (peer: string) => void
}): () => void {
  const { requests, book, clock, domain, intake, onPage } = components
  const rate = createTokenBuckets(PAGE_RATE)

  const fetch = (ids: readonly Hash[]): Uint8Array => {
    const page: Uint8Array[] = []
    let bytes = 0
    for (const id of ids) {
      const entry = book.get(id)
      if (entry === undefined) continue
      if (bytes + entry.bytes.byteLength > MAX_PAGE_BYTES) break
      page.push(entry.bytes)
      bytes += entry.bytes.byteLength
    }
    return encodeFetched(page)
  }
  const push = async (records: readonly Uint8Array[], peer: string, signal: AbortSignal): Promise<Uint8Array> => {
    const admissions = await intake(records, peer, 'push')
    signal.throwIfAborted()
    const rejected = admissions.find(({ verdict }) => verdict === 'reject')
    if (rejected !== undefined) throw new BookError('BOOK_RECONCILE', 'an invalid record was pushed', { data: { code: rejected.code } })
    const settled = admissions.flatMap((admission) => admission.id !== undefined && isSettled(admission) ? [admission.id] : [])
    return encodePushed(settled)
  }
  const answer = async (payload: Uint8Array, peer: string, signal: AbortSignal): Promise<Uint8Array> => {
    const query = decodePageQuery(domain, payload)
    onPage(peer)
    return query.type === 'fetch' ? fetch(query.ids) : await push(query.records, peer, signal)
  }
  return requests.serveStream(RECORDS_PROTOCOL, { maxBytes: MAX_RECONCILE_BYTES, maxFrameBytes: MAX_RECONCILE_BYTES, maxUnreadBytes: MAX_UNREAD_BYTES, ...RECONCILE.pages }, async (stream, { peer, signal }) => {
    /** The answer to the query before this one is on its way. */
    let before: Promise<void> = Promise.resolve()
    const failed = Promise.withResolvers<never>()
    failed.promise.catch(() => undefined)
    // By hand: leaving a loop over the stream would break it off before the error is sent.
    const queries = stream[Symbol.asyncIterator]()
    // Who asked nothing more still waits for the error.
    const next = async (): Promise<IteratorResult<Uint8Array>> => await Promise.race([queries.next(), failed.promise])
    for (let query = await next(); query.done !== true; query = await next()) {
      while (!rate.take(peer, clock.now())) await clock.wait(RECONCILE.pageWaitMs, signal)
      const page = answer(query.value, peer, signal)
      page.catch(() => undefined)
      await before
      before = page.then(stream.send)
      before.catch(failed.reject)
    }
    await before
  })
}
