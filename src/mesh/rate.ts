import type { Clock } from '../core/clock.ts'
import { MAX_REMEMBERED_PEERS } from './options.ts'

/** One token bucket per peer, holding `burst`, without it a second's worth (at least one). `take` says whether the peer may go on. */
export function createRateLimit (clock: Clock, perSecond: number, burst = Math.max(1, perSecond)): { take: (peer: string) => boolean } {
  const buckets = new Map<string, { tokens: number, atMs: number }>()
  return {
    take: (peer) => {
      const nowMs = clock.now()
      const bucket = buckets.get(peer) ?? { tokens: burst, atMs: nowMs }
      bucket.tokens = Math.min(burst, bucket.tokens + (nowMs - bucket.atMs) / 1000 * perSecond)
      bucket.atMs = nowMs
      buckets.delete(peer)
      buckets.set(peer, bucket)
      if (buckets.size > MAX_REMEMBERED_PEERS) buckets.delete(buckets.keys().next().value as string)
      if (bucket.tokens < 1) return false
      bucket.tokens -= 1
      return true
    }
  }
}
