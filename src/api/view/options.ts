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
  // 100 changes in a transaction cost a hundredth of one each (10,000 entries: 0.17 s, not 13 s), and no one notices the delay.
  flushMs: 50,
  // Reading the body and writing the key are 60 us each: 30 ms at a time.
  maxPerFlush: 500,
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
  // An answer costs 0.3 s for 100,000 records.
  syncs: { perSecond: 1, burst: 10 },
  // A minute of a busy book: 500 records of 500 bytes a second.
  maxUnreadBytes: 16 * 2 ** 20,
  // y-websocket gives up on a server from which no message came for 30 s.
  beatMs: 15_000
}
