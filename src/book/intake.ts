import type { Clock } from '../core/clock.ts'
import type { SignedRecord } from '../wire/record.ts'
import type { SignatureCheck } from '../wire/signature.ts'
import type { Admission, Admissions, Candidate, Path } from './admission.ts'
import type { MergeResult } from './book.ts'
import type { SignaturePool } from './signature-pool.ts'
import { createSlabs } from './slab.ts'

/** Records from one peer on their way into the book: screened here, their signatures checked by the pool, then merged. In the order given. `shard`: that of the topic they came on. */
export type Intake = (batch: readonly Uint8Array[], from: string, path: Path, shard?: number) => Promise<Admission[]>

/** Records screened between two turns of the event loop: about 2 ms. */
const RECORDS_PER_TURN = 64

/** What `merge` says of a record that admission had let through, as an admission code. */
const MERGE_CODES = { superseded: 'BOOK_SUPERSEDED', expired: 'BOOK_EXPIRED', future: 'BOOK_FUTURE', quota: 'BOOK_QUOTA', unfollowed: 'BOOK_SHARD' } as const

export function createIntake (components: { admissions: Admissions, pool: SignaturePool, clock: Clock, merge: (record: SignedRecord, nowMs: number, bytes: Uint8Array) => MergeResult }): Intake {
  const { admissions, pool, clock, merge } = components
  const copy = createSlabs()

  const finish = (candidate: Candidate, nowMs: number, verdicts: Uint8Array, from: number): Admission => {
    const admission = admissions.conclude(candidate, verdicts, from)
    if (admission.record === undefined) return admission
    const { record } = candidate
    const result = merge(record, nowMs, record.bytes)
    // While its signature was checked it may have come another way: it was new when it came here, so it is passed on.
    return result === 'added' || result === 'equivocation' || result === 'duplicate' ? admission : { verdict: 'ignore', code: MERGE_CODES[result], id: record.id, isVerified: true }
  }
  return async (batch, from, path, shard) => {
    const screened: Array<Admission | Candidate> = []
    const claims: SignatureCheck[] = []
    let context = { from, path, shard, nowMs: clock.now() }
    for (const [index, bytes] of batch.entries()) {
      if (index % RECORDS_PER_TURN === RECORDS_PER_TURN - 1) {
        await yieldTurn()
        context = { from, path, shard, nowMs: clock.now() }
      }
      const next = admissions.screen(bytes, context)
      screened.push(next)
      if ('claims' in next) {
        claims.push(...next.claims)
        // A record that is kept must not keep the message that it came in.
        next.record.moveTo(copy(bytes))
      }
      // Its sender pays for the batch; no signature of it is worth checking.
      else if (next.verdict === 'reject') return screened.filter((entry) => 'verdict' in entry)
    }
    const verdicts = await pool.verify(claims)
    const nowMs = clock.now()
    let at = 0
    return screened.map((entry) => {
      if (!('claims' in entry)) return entry
      const from = at
      at += entry.claims.length
      return finish(entry, nowMs, verdicts, from)
    })
  }
}

/** Lets the event loop breathe. */
export async function yieldTurn (): Promise<void> {
  await new Promise((resolve) => { setImmediate(resolve) })
}
