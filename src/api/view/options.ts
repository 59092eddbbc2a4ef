/** Numbers of the live view; protocol/view.md gives them to readers. */
export interface ViewOptions {
  /** Changes wait so long, ms, to be written in one transaction. */
  flushMs: number
  /** Changes in one transaction at most; the rest follows in the next turn of the event loop. */
  maxPerFlush: number
  /** A document rolls when its dead values are more than `minDead` and more than `deadShare` times the living. */
  minDead: number
  deadShare: number
  /** Epochs that are shown. */
  epochs: number
  /** A document without a reader is kept so long, ms. */
  lingerMs: number
  maxReaders: number
  maxMessageBytes: number
  /** Messages and pings that a reader may send. */
  messages: { perSecond: number, burst: number }
  /** Requests for the whole document that a reader may send. */
  syncs: { perSecond: number, burst: number }
  /** Bytes that a reader may leave unread, on top of the last whole document that it asked for. */
  maxUnreadBytes: number
  /** Between two signs of life, ms. */
  beatMs: number
}

export const VIEW_DEFAULTS: ViewOptions = {
  // Alone each change would cost a transaction and a message to every reader; no one notices the delay.
  flushMs: 50,
  // Reading a body and writing its key take 0.15 to 0.25 ms of CPU (20,000 jobs on a slow core): 25 ms at a time.
  maxPerFlush: 100,
  // A dead value is 10 to 41 bytes on the wire and 0.3 KB here: 3 MB are no reason to interrupt readers.
  minDead: 10_000,
  deadShare: 2,
  // As long as a node remembers its auctions.
  epochs: 30,
  // A reload or a short loss of the connection finds its room again.
  lingerMs: 60_000,
  // More than one person's tabs and tools.
  maxReaders: 64,
  // A state vector of a copy with one writer is 10 bytes; this leaves room for clients that write, in vain.
  maxMessageBytes: 65_536,
  // A pointer's movements as awareness are 60 a second.
  messages: { perSecond: 100, burst: 400 },
  // An answer costs 0.3 s of CPU and 22 MB for 20,000 jobs.
  syncs: { perSecond: 1, burst: 10 },
  // 15,000 jobs of 1.1 KB: as many as are admitted in 15 s from one peer.
  maxUnreadBytes: 16 * 2 ** 20,
  // y-websocket gives up on a server from which no message came for 30 s.
  beatMs: 15_000
}
