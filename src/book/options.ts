import type { Address } from '../wire/shapes.ts'
import { COMMON_SHARD } from '../wire/shard.ts'

/** Numbers of the book. Those marked "protocol" are part of protocol/book.md: two nodes with different values disagree. */
export interface BookOptions {
  /** Shards to follow, beside the common one. */
  shards: readonly number[]
  /** Registers held at most in each shard, cancels included. */
  maxRegisters: number
  /** Of these, at most so many of accounts without weight: strangers who put nothing at stake share them. */
  maxFree: number
  /** Equivocation proofs held at most, one per account and operator. */
  maxProofs: number
  /** Slots an account may use in each shard, per slot class; injected so that a bond can raise it. */
  quota: (account: Address) => { market: number, module: number }
  /** Weight of an account when the book is full: the lowest goes first, and 0 is the free tier. */
  weight: (account: Address) => number
}

/** Width of a time bucket, ms (protocol). Everything that ends, ends with a bucket, so replicas drop together. */
export const BUCKET_MS = 60_000
/** Job and resource offers, ms (protocol): long enough for a day's worth of retries to be rare, short enough to be rid of the dead. */
export const MARKET_SPAN_MS = 3_600_000
/** Modules, ms (protocol): a publisher is online once a month. */
export const MODULE_SPAN_MS = 30 * 86_400_000
/** A proof outlives its freeze by the span of a market record, so that no record signed under it survives it. (protocol) */
export const PROOF_GRACE_MS = 3_600_000
/** A record's seq may be ahead of our clock by this much, ms (protocol): NTP-less machines are off by seconds, not by half a minute. */
export const SKEW_MS = 30_000
/** First slot of the module class (protocol). Slots below hold jobs and offers. */
export const FIRST_MODULE_SLOT = 2 ** 31

/** Defaults of `BookOptions`. */
export const BOOK_DEFAULTS: BookOptions = {
  // The default market, both classes.
  shards: [0, 1, COMMON_SHARD],
  // 100,000 live records is the size to carry; the rest is room for cancels.
  maxRegisters: 200_000,
  // A quarter: an attacker who makes up accounts fills that much of a shard and no more.
  maxFree: 50_000,
  // A proof is 0.5 KB; 10,000 frozen operators are an attack already.
  maxProofs: 10_000,
  // A creator rotates its jobs through 4,096 slots; as many again for the offers of the same account. 256 module tags per publisher.
  quota: () => ({ market: 8192, module: 256 }),
  // A book without a chain: all accounts are equal, and none is a stranger.
  weight: () => 1
}

/** Limits of admission, per second with a burst. Over the limit is IGNORE; reconciliation brings the record later. */
export const RATE_LIMITS = {
  // A burst of a thousand jobs, then each of them again about once a minute.
  author: { perSecond: 20, burst: 1024 },
  // A peer relays everybody's records: 1,000/s is a fifth of what one core verifies.
  gossipPeer: { perSecond: 1000, burst: 4000 },
  // Records a peer pushes to us in reconciliation: a joiner's whole book in a minute or two.
  pushPeer: { perSecond: 1000, burst: 10_000 },
  // Buckets remembered; the longest unused goes first and starts full again.
  maxKeys: 20_000,
  // Delegations remembered as verified: one per operator and renewal.
  maxDelegations: 20_000
} as const

/** Checking signatures on other threads. */
export const SIGNATURES = {
  // Checked on the spot beside a thread that runs: a fifth of a millisecond, as much as handing them over.
  atOnce: 4,
  // Checked on the spot before one is started for them: a start takes 10 MB and as long as thousands of checks, and comes when a node
  // is busiest. What gossip brings in one turn is less, a page of reconciliation is more.
  beforeThread: 48,
  // More than four threads outrun what one thread can decode and merge.
  maxThreads: 4,
  // Given to a thread before it has answered: it goes on while this one is busy with something else.
  tasksAhead: 4,
  // A thread without work is ended after this; starting one takes 50 ms.
  idleMs: 30_000
} as const

/** Gossip. */
export const GOSSIP = {
  // Waiting this long lets a burst travel together and no one notices.
  flushMs: 20,
  // A batch waits this long for peers that have yet to take what was sent before.
  roomMs: 1_000,
  // Messages waiting for verification: 256 x 32 records are about a second of one core.
  maxQueued: 256,
  // Of these, from one peer: one that sends faster than it is judged, with nothing to be punished for, leaves room for others.
  maxQueuedPerPeer: 128
} as const

/** Finding nodes that follow the same shards of named markets. */
export const SHARD_PEERS = {
  // One may withhold and one may leave.
  wanted: 3,
  // The first peers tell within a second or two what they follow.
  firstLookMs: 2_000,
  // A lookup costs a stream to every peer near the key.
  lookMs: 15_000
} as const

/** Reconciliation. */
export const RECONCILE = {
  // Rounds per session: 17 were measured for 1,000 differences in 100,000.
  maxRounds: 32,
  // Ids one session may find missing before it fetches them; the rest comes in the next session.
  maxNeed: 60_000,
  // Between two sessions with one peer, and how much of that is random.
  intervalMs: 60_000,
  jitter: 0.1,
  // The side that was dialled waits this long, since the dialler starts at once and one session serves both.
  inboundDelayMs: 5000,
  // Peers asked per interval, those first that were asked longest ago; as many ask us.
  peersPerInterval: 4,
  // Pages a session has asked for and not settled: the signatures of one are checked on another thread while the next is on its way.
  pagesAtOnce: 6,
  // Pushed pages, each of MAX_PUSH_BYTES: all of them may lie unread on the other side (MAX_UNREAD_BYTES).
  pushesAtOnce: 3,
  // One request, and one whole session.
  requestTimeoutMs: 10_000,
  sessionTimeoutMs: 120_000,
  // After a session that failed or named records that it did not give: first wait, doubled up to the last.
  backOffMs: 2_000,
  maxBackOffMs: 600_000,
  // Rows of status() kept for peers that left.
  maxStatus: 256,
  // A sorted snapshot of the ids is used for this long at most although the book moved on: sorting 100,000 ids costs 0.2 s.
  snapshotMs: 1_000,
  // A session makes 32 rounds at most. A place is given back a moment after its answer has arrived, so a session has up to two; a
  // peer that keeps requests open leaves seven eighths of the places to others.
  rounds: { perPeerPerSecond: 64, concurrency: 16, perPeer: 2, timeoutMs: 10_000 },
  // Streams of pages: a session opens one, for as long as it moves records. One costs a place and what one frame takes.
  pages: { perPeerPerSecond: 16, concurrency: 64, perPeer: 2, timeoutMs: 20_000 },
  // A page above its peer's rate is looked at again after this.
  pageWaitMs: 10
} as const

/** Pages of a peer, all its streams together: 64 records take longer than 3 ms to verify. Above, it waits. */
export const PAGE_RATE = { perSecond: 300, burst: 300, maxKeys: 4096 } as const

/** Records on disk. */
export const PERSISTENCE = {
  // Foreign records wait this long to be written together; what a kill loses so, reconciliation brings back.
  flushMs: 1_000,
  maxOps: 512,
  // After a write that failed, such as on a full disk.
  retryMs: 5_000
} as const

/** Own records. */
export const AUTHOR = {
  // An own record is due for renewal when less than this share of its life is left.
  renewShare: 0.25
} as const
