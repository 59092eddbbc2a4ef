import { decodeDigestAnswer, decodeFramesAnswer, encodeRoundQuery, MAX_FRAME_BYTES, MAX_FRAMES, type OfShards } from '../wire/reconcile.ts'
import type { Hash } from '../wire/shapes.ts'
import { BookError } from './errors.ts'
import { bucketOf } from './lifetime.ts'
import { absorbFrame, firstFrame } from './negentropy.ts'
import type { ItemSet } from './negentropy-items.ts'
import { RECONCILE } from './options.ts'
import type { ReconcileComponents, Session } from './reconcile.ts'

/** One round with the peer that is compared with. */
export type Ask = (payload: Uint8Array) => Promise<Uint8Array>

/** Ids that one side lacks, and the shard each is in. */
export type Ids = Map<Hash, number>

/** What the rounds have found so far. `onNeed` gets what each round adds to `need`. */
export interface Found { have: Ids, need: Ids, onNeed: (ids: readonly Hash[]) => void }

/**
 * protocol/reconcile.md, the asking side's rounds: which of our shards the peer follows, which of these differ, and by which ids. Notes
 * in `session` what it compared. Throws BookError BOOK_RECONCILE when the peer breaks the protocol.
 * @param found - filled round by round.
 */
export async function compare ({ book, snapshots, clock, domain }: Pick<ReconcileComponents, 'book' | 'snapshots' | 'clock' | 'domain'>, ask: Ask, session: Session, found: Found): Promise<void> {
  const bucket = bucketOf(clock.now())
  const sets = new Map(book.shards.map((shard) => [shard, snapshots.at(shard, bucket, true)]))
  const digests = [...sets].map(([shard, set]) => [shard, set.fingerprint(0, set.size)] as const)
  const { equal, differing } = decodeDigestAnswer(await ask(encodeRoundQuery(domain, { type: 'digests', bucket, shards: digests })))
  const shared = [...equal, ...differing]
  if (new Set(shared).size < shared.length || shared.some((shard) => !sets.has(shard))) throw new BookError('BOOK_RECONCILE', 'the peer compares shards that it was not asked for', { data: { shards: shared } })
  session.unshared = book.shards.filter((shard) => !shared.includes(shard))
  session.records = shared.reduce((sum, shard) => sum + (sets.get(shard)?.size ?? 0), 0)
  for (let at = 0; at < differing.length && !session.isCut; at += MAX_FRAMES) {
    const open = new Map(differing.slice(at, at + MAX_FRAMES).map((shard) => [shard, sets.get(shard) as ItemSet]))
    await compareShards(open, async (frames) => decodeFramesAnswer(await ask(encodeRoundQuery(domain, { type: 'frames', bucket, shards: frames }))), found, session)
    // What was not reached.
    if (session.isCut) for (const shard of differing.slice(at)) session.differing.add(shard)
  }
}

/** Rounds over a few shards at once, each of which leaves them when its sets are compared. */
async function compareShards (sets: ReadonlyMap<number, ItemSet>, ask: (frames: Array<[number, Uint8Array]>) => Promise<OfShards>, { have, need, onNeed }: Found, session: Session): Promise<void> {
  let frames = [...sets].map(([shard, set]): [number, Uint8Array] => [shard, firstFrame(set)])
  for (let round = 0; frames.length > 0; round++) {
    if (round >= RECONCILE.maxRounds || need.size > RECONCILE.maxNeed) {
      session.isCut = true
      return
    }
    const answers = new Map(await ask(frames))
    const maxBytes = Math.floor(MAX_FRAME_BYTES / frames.length)
    frames = frames.flatMap(([shard]): Array<[number, Uint8Array]> => {
      const answer = answers.get(shard)
      if (answer === undefined) throw new BookError('BOOK_RECONCILE', 'the peer left a shard out', { data: { shard } })
      const progress = absorbFrame(sets.get(shard) as ItemSet, answer, maxBytes)
      for (const id of progress.have) have.set(id, shard)
      // A peer that names an id again and again is asked for it once.
      const news = [...new Set(progress.need)].filter((id) => !need.has(id))
      for (const id of news) need.set(id, shard)
      onNeed(news)
      return progress.next === undefined ? [] : [[shard, progress.next]]
    })
  }
}
