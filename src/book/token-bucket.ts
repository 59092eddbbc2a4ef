/** Token buckets by key: `perSecond` on average, `burst` at once. The longest unused key is forgotten above `maxKeys`. */
export interface TokenBuckets {
  /** Whether a token is left; takes none. */
  has: (key: string, nowMs: number) => boolean
  /** Takes one token; false when none is left. */
  take: (key: string, nowMs: number) => boolean
}

export function createTokenBuckets (options: { perSecond: number, burst: number, maxKeys: number }): TokenBuckets {
  const buckets = new Map<string, { tokens: number, atMs: number }>()
  const tokensAt = (key: string, nowMs: number): number => {
    const bucket = buckets.get(key)
    if (bucket === undefined) return options.burst
    return Math.min(options.burst, bucket.tokens + Math.max(0, nowMs - bucket.atMs) / 1000 * options.perSecond)
  }
  return {
    has: (key, nowMs) => tokensAt(key, nowMs) >= 1,
    take: (key, nowMs) => {
      const tokens = tokensAt(key, nowMs)
      if (tokens < 1) return false
      buckets.delete(key)
      buckets.set(key, { tokens: tokens - 1, atMs: nowMs })
      if (buckets.size > options.maxKeys) buckets.delete(buckets.keys().next().value as string)
      return true
    }
  }
}
