/** Where a job's numbers stand in its part of `Facts.jobs`. Amounts are nLILY, times ms. */
export const JOB = {
  flags: 0, cpuMilli: 1, memoryMiB: 2, diskMiB: 3, runSeconds: 4, spanMs: 5, deadline: 6, limit: 7, minReputation: 8, lockBp: 9,
  /** Reference price without GPUs; what age adds. */
  reference: 10, age: 11,
  account: 12, market: 13, engineBit: 14, mediatorBits: 15,
  /** How many GPUs, and where they stand in `Facts.entries`. */
  entries: 16, firstEntry: 17, width: 18
} as const

/** The same for an offer in `Facts.offers`. */
export const OFFER = {
  flags: 0, cpuMilli: 1, memoryMiB: 2, diskMiB: 3, maxRunSeconds: 4, startMs: 5, reputation: 6, lockable: 7, base: 8, cpuSecond: 9, memorySecond: 10, diskSecond: 11,
  account: 12, market: 13, engineBits: 14, mediatorBits: 15, devices: 16, firstDevice: 17, width: 18
} as const

/** An entry of a job's GPUs: models that it accepts as bits, 0 for any; VRAM, share. */
export const ENTRY = { modelBits: 0, vramMiB: 1, shareBp: 2, width: 3 } as const

/** A device of an offer, with what a second of it costs by its ask and by the reference. */
export const DEVICE = { modelBit: 0, vramMiB: 1, shareBp: 2, secondAsk: 3, secondReference: 4, width: 5 } as const

/** What holds of a row, whoever is on the other side. */
export const FLAG = {
  /** It passes the constraints that hang on it alone, and its numbers say all but what the other flags leave to its lists. */
  isPlain: 1,
  /** Its pairs count one tick. */
  isTick: 2,
  /** A job that wants a mediator that both trust. */
  isAudited: 4,
  /** It lists accounts or modules: ask the record. */
  hasLists: 8
} as const
