import { equals } from 'uint8arrays/equals'
import type { Clock } from '../core/clock.ts'
import type { Requests } from '../mesh/requests.ts'
import { decodeRoundQuery, encodeDigestAnswer, encodeFramesAnswer, MAX_FRAME_BYTES, MAX_ROUND_BYTES, RECONCILE_PROTOCOL, type OfShards } from '../wire/reconcile.ts'
import type { Domain } from '../wire/typed-data.ts'
import type { Book } from './book.ts'
import { BookError } from './errors.ts'
import { bucketOf } from './lifetime.ts'
import { answerFrame } from './negentropy.ts'
import { RECONCILE } from './options.ts'
import type { Snapshots } from './snapshots.ts'

/** protocol/reconcile.md, the answering side of rounds. Keeps nothing between requests. Returns how to stop. */
export function serveReconcile (components: { requests: Pick<Requests, 'serve'>, book: Book, snapshots: Snapshots, clock: Clock, domain: Domain }): () => void {
  const { requests, book, snapshots, clock, domain } = components
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
  return requests.serve(RECONCILE_PROTOCOL, { maxBytes: MAX_ROUND_BYTES, ...RECONCILE.rounds }, async (payload) => {
    const { type, bucket, shards } = decodeRoundQuery(domain, payload)
    const own = bucketOf(clock.now())
    if (Math.abs(own - bucket) > 1) throw new BookError('BOOK_CLOCK', 'our clocks are more than a minute apart', { data: { bucket, own }, hint: 'Set the clock right.' })
    return type === 'digests' ? compareDigests(bucket, shards) : compareFrames(bucket, shards)
  })
}
