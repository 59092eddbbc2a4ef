import type { FrameStream, Requests } from '../mesh/requests.ts'
import { encodePageQuery, MAX_RECONCILE_BYTES, RECORDS_PROTOCOL, type PageQuery } from '../wire/reconcile.ts'
import type { Domain } from '../wire/typed-data.ts'
import { BookError } from './errors.ts'

/** protocol/reconcile.md, "Pages", the asking side: one stream for all pages of a session. */
export interface Pages {
  /**
   * Resolves to the answer's bytes; others may be asked meanwhile. The first query opens the stream. Rejects with RequestError (the
   * other side's code, or MESH_UNREACHABLE), BookError BOOK_RECONCILE (it answers what was not asked, or ends without an answer).
   */
  ask: (query: PageQuery) => Promise<Uint8Array>
  /** Says that nothing more is asked; resolves when the other side has closed too. */
  close: () => Promise<void>
  /** Breaks the stream off where it still is. */
  abort: (reason: Error) => void
}

/** @param options.onBytes - told the size of each frame, either way. */
export function createPages (components: { requests: Pick<Requests, 'openStream'>, domain: Domain }, options: { peer: string, onBytes: (bytes: number) => void }): Pages {
  const { requests, domain } = components
  const { peer, onBytes } = options
  const over = new AbortController()
  let asked: Array<PromiseWithResolvers<Uint8Array>> = []
  let stream: Promise<FrameStream> | undefined
  let received: Promise<void> | undefined
  let failure: unknown

  const fail = (error: unknown): void => {
    failure ??= error
    for (const { reject } of asked) reject(failure)
    asked = []
  }
  const receive = async (answers: FrameStream): Promise<void> => {
    for await (const answer of answers) {
      onBytes(answer.byteLength)
      const first = asked.shift()
      if (first === undefined) throw new BookError('BOOK_RECONCILE', 'the peer answers what it was not asked', { data: { peer } })
      first.resolve(answer)
    }
    if (asked.length > 0) throw new BookError('BOOK_RECONCILE', 'the peer ended the stream without an answer', { data: { peer } })
  }
  const begin = async (): Promise<FrameStream> => {
    const opened = await requests.openStream(peer, RECORDS_PROTOCOL, { signal: over.signal, maxFrameBytes: MAX_RECONCILE_BYTES })
    received = receive(opened).catch(fail)
    return opened
  }
  return {
    ask: async (query) => {
      const payload = encodePageQuery(domain, query)
      const queries = await (stream ??= begin())
      if (failure !== undefined) throw failure
      const answer = Promise.withResolvers<Uint8Array>()
      asked.push(answer)
      onBytes(payload.byteLength)
      queries.send(payload).catch(fail)
      return await answer.promise
    },
    close: async () => {
      await (await stream)?.close()
      await received
      if (failure !== undefined) throw failure
    },
    abort: (reason) => { over.abort(reason) }
  }
}
