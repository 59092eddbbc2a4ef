/** protocol/fleet.md. */
export const FLEET = {
  /** Parts and entries may be this far ahead of our clock, as records may. */
  skewMs: 30_000,
  /** Items in a part: an inventory, two entries for each of 64 nodes and one for all are 130. */
  maxItems: 256,
  /** Members are asked again this often: an edit whose push was lost arrives within it. */
  syncMs: 15_000,
  /** First pause after a failed exchange; doubles up to `maxRetryMs`. A new connection ends it. */
  retryMs: 1_000,
  maxRetryMs: 10 * 60_000,
  /** A part is stated again this often, so that others see that its node lives. */
  restateMs: 60_000,
  /** Changes are gathered this long: a burst of consents makes one part. */
  gatherMs: 500,
  /** Changes of what is free follow each other at this distance at least: each goes to every member. */
  inventoryMs: 5_000,
  /** One request to a member may take this long, dial included. */
  timeoutMs: 5_000,
  /** Twice 64 parts of the largest size, three in a message. */
  maxRounds: 48
} as const

/** Limits of the protocol. A member that edits in a loop needs a request or two per edit; 32 at once are 8 MiB in memory. */
export const FLEET_LIMITS = { perPeerPerSecond: 20, concurrency: 32, timeoutMs: FLEET.timeoutMs } as const

/** Bounds of prices when `fleet init` is told none: half and double the reference prices. */
export const DEFAULT_ASK_BOUNDS = { minAskBp: 5_000, maxAskBp: 20_000 } as const
