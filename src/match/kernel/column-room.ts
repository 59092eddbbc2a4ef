import type { Columns } from './columns.ts'

/** Columns in the making: room for so many, filled from the front. */
export type ColumnRoom = Pick<Columns, 'run' | 'cost' | 'ask'>

/**
 * Memory that is never written to is never taken. It is shared, so that a worker thread gets it without copying. What is taken anew costs more than what is
 * written there, on some machines several times as much: a column is 20 bytes.
 */
export function roomFor (room: number): ColumnRoom {
  const of = (bytes: number): SharedArrayBuffer => new SharedArrayBuffer(room * bytes)
  return { run: new Int32Array(of(4)), cost: new Float64Array(of(8)), ask: new Float64Array(of(8)) }
}

/** The first so many columns, in the same memory. */
export function firstOf ({ run, cost, ask }: ColumnRoom, count: number): ColumnRoom {
  return { run: run.subarray(0, count), cost: cost.subarray(0, count), ask: ask.subarray(0, count) }
}

/** A larger room with the same columns. */
export function enlarged (from: ColumnRoom, room: number): ColumnRoom {
  const into = roomFor(room)
  into.run.set(from.run)
  into.cost.set(from.cost)
  into.ask.set(from.ask)
  return into
}
