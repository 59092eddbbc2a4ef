import { z } from 'zod'
import { uintShape } from '../wire/shapes.ts'

/** Figures of the embedded chain; protocol/devnet-chain.md gives the measurements behind them. */
export interface SupervisorTuning {
  /** How often the pool is looked at. The mean wait for a block is half of it; 50 polls a second cost about 1 % of a core. */
  pollMs: number
  /** A block at least this often while the chain is in use, so that contract deadlines pass and nodes see time move. */
  heartbeatMs: number
  /** After this long without a transaction the heartbeat slows down: an empty block costs about 21 KB of memory. */
  quietAfterMs: number
  /** The heartbeat of a quiet chain , slow enough to be left running for weeks. */
  quietHeartbeatMs: number
  /** At most one snapshot in this span; a crash of anvil loses at most what came after the last one. */
  snapshotGapMs: number
  /** The same when only empty blocks came: losing those costs nothing but a jump of the block number. */
  agedSnapshotGapMs: number
  /** The gap is also this many times the last dump's own duration, so that a long history cannot fill the day with dumps. */
  snapshotCostFactor: number
  /** Above this resident size anvil is snapshotted and restarted. */
  maxRssBytes: number
  /** Between two looks at its memory. */
  watchRssMs: number
}

export const SUPERVISOR_TUNING: SupervisorTuning = {
  pollMs: 20,
  heartbeatMs: 1000,
  // Ten minutes outlast every deadline that a devnet's parameters set (minutes), so those pass at full pace.
  quietAfterMs: 600_000,
  // 1,440 blocks, 30 MB, a day: an abandoned deal on a chain left alone still expires within a minute of its time.
  quietHeartbeatMs: 60_000,
  snapshotGapMs: 1000,
  agedSnapshotGapMs: 30_000,
  snapshotCostFactor: 20,
  maxRssBytes: 1_500_000_000,
  watchRssMs: 5000
}

/** How the node talks to a chain. */
export interface ChainTuning {
  /** How often the head is looked at while nothing is under way. */
  pollMs: number
  /** How often while a transaction of ours is in flight. */
  busyPollMs: number
  /** An RPC request that takes longer counts as failed. */
  requestTimeoutMs: number
  /** A transaction not in a block after this long is sent again with higher fees. */
  stuckMs: number
  /** How many RPC endpoints have to say alike what money depends on; 0: more than half of the URLs. */
  quorum: number
  /** Finality: events are handed on when this many blocks follow theirs. */
  confirmations: number
  /** A re-org may take back this many blocks: so far is read again, and so long is an event that vanished waited for. */
  reorgBlocks: number
  /** Blocks per eth_getLogs; public endpoints commonly refuse more than a few thousand. */
  logRangeBlocks: number
}

/** A chain on this machine: a request costs 1 ms. Idle nodes look four times a second; one that expects something 25 times, a fortieth of a core each. */
export const DEVNET_TUNING: ChainTuning = {
  pollMs: 250, busyPollMs: 40, requestTimeoutMs: 5000, stuckMs: 5000, quorum: 0, confirmations: 0, reorgBlocks: 128, logRangeBlocks: 10_000
}

/** A public chain over the Internet: blocks of 0.25 to 12 s; 2 confirmations hide one-block re-orgs. */
export const PUBLIC_TUNING: ChainTuning = {
  pollMs: 2000, busyPollMs: 500, requestTimeoutMs: 15_000, stuckMs: 60_000, quorum: 0, confirmations: 2, reorgBlocks: 128, logRangeBlocks: 2000
}

/** What a network file may set of it (protocol/network.md): money depends on these. */
export const chainSettingsShape = z.strictObject({
  quorum: uintShape.max(16).exactOptional(),
  confirmations: uintShape.max(1000).exactOptional(),
  reorgBlocks: uintShape.min(1).max(10_000).exactOptional()
})
