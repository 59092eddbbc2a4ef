import type { Columns } from './columns.ts'

/** Columns in the making: room for so many, filled from the front. */
export type ColumnRoom = Omit<Columns, 'start' | 'bids'>

/** Memory that is never written to is never taken. It is shared, so that a worker thread gets it without copying. */
export function roomFor (room: number): ColumnRoom {
  const of = (bytes: number): SharedArrayBuffer => new SharedArrayBuffer(room * bytes)
  return {
    job: new Int32Array(of(4)), alternative: new Uint16Array(of(2)), low: new Int32Array(of(4)), high: new Int32Array(of(4)),
    cost: new Float64Array(of(8)), ask: new Float64Array(of(8)), bid: new Int32Array(of(4)), lock: new Float64Array(of(8))
  }
}

/** The first so many columns, in the same memory. */
export function firstOf ({ job, alternative, low, high, cost, ask, bid, lock }: ColumnRoom, count: number): ColumnRoom {
  return {
    job: job.subarray(0, count), alternative: alternative.subarray(0, count), low: low.subarray(0, count), high: high.subarray(0, count),
    cost: cost.subarray(0, count), ask: ask.subarray(0, count), bid: bid.subarray(0, count), lock: lock.subarray(0, count)
  }
}

/** A larger room with the same columns. */
export function enlarged (from: ColumnRoom, room: number): ColumnRoom {
  const into = roomFor(room)
  into.job.set(from.job)
  into.alternative.set(from.alternative)
  into.low.set(from.low)
  into.high.set(from.high)
  into.cost.set(from.cost)
  into.ask.set(from.ask)
  into.bid.set(from.bid)
  into.lock.set(from.lock)
  return into
}
