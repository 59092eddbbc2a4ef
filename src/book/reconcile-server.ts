import { equals } from 'uint8arrays/equals'
import type { Clock } from '../core/clock.ts'
import type { Requests } from '../mesh/requests.ts'
import {
  decodePageQuery, decodeRoundQuery, encodeDigestAnswer, encodeFetched, encodeFramesAnswer, encodePushed, MAX_FRAME_BYTES, MAX_PAGE_BYTES,
  MAX_RECONCILE_BYTES, MAX_ROUND_BYTES, RECONCILE_PROTOCOL, RECORDS_PROTOCOL, type OfShards
} from '../wire/reconcile.ts'
import type { Hash } from '../wire/shapes.ts'
import type { Domain } from '../wire/typed-data.ts'
import type { Book } from './book.ts'
import { BookError } from './errors.ts'
import { bucketOf } from './lifetime.ts'
import { answerFrame } from './negentropy.ts'
import { RECONCILE } from './options.ts'
import type { Intake } from './intake.ts'
import { isSettled } from './reconcile.ts'
import type { Snapshots } from './snapshots.ts'

/** protocol/reconcile.md, the answering side. Keeps nothing between requests. Returns how to stop. */
export function serveReconcile (components: {
  requests: Pick<Requests, 'serve'>, book: Book, snapshots: Snapshots, clock: Clock, domain: Domain, intake: Intake
  /** A peer asked for records or sent some. */
  onPage: (peer: string) => void
}): () => void {
  const { requests, book, snapshots, clock, domain, intake, onPage } = components
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
  const compareDigests = (bucket: number, digests: OfShards): Uint8Array => {
    const equal: number[] = []
    const differing: number[] = []
    for (const [shard, digest] of digests) {
      if (!book.shards.includes(shard)) continue
      const set = snapshots.at(shard, bucket)
      const row = equals(set.fingerprint(0, set.size), digest) ? equal : differing
      row.push(shard)
    }
    return encodeDigestAnswer({ equal, differing })
  }
  const compareFrames = (bucket: number, frames: OfShards): Uint8Array => {
    const unfollowed = frames.find(([shard]) => !book.shards.includes(shard))?.[0]
    if (unfollowed !== undefined) throw new BookError('BOOK_SHARD', `shard ${unfollowed} is not followed here`, { data: { shard: unfollowed } })
    const maxBytes = Math.floor(MAX_FRAME_BYTES / frames.length)
    return encodeFramesAnswer(frames.map(([shard, frame]) => [shard, answerFrame(snapshots.at(shard, bucket), frame, maxBytes)]))
  }
  const stops = [
    requests.serve(RECONCILE_PROTOCOL, { maxBytes: MAX_ROUND_BYTES, ...RECONCILE.rounds }, async (payload) => {
      const { type, bucket, shards } = decodeRoundQuery(domain, payload)
      const own = bucketOf(clock.now())
      if (Math.abs(own - bucket) > 1) throw new BookError('BOOK_CLOCK', 'our clocks are more than a minute apart', { data: { bucket, own }, hint: 'Set the clock right.' })
      return type === 'digests' ? compareDigests(bucket, shards) : compareFrames(bucket, shards)
    }),
    requests.serve(RECORDS_PROTOCOL, { maxBytes: MAX_RECONCILE_BYTES, ...RECONCILE.pages }, async (payload, { peer, signal }) => {
      const query = decodePageQuery(domain, payload)
      onPage(peer)
      return query.type === 'fetch' ? fetch(query.ids) : await push(query.records, peer, signal)
    })
  ]
  return () => { for (const stop of stops) stop() }
}
