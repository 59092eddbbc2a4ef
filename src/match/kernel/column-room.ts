/** Columns in the making: room for so many, filled from the front (`Columns` says what stands where). */
export interface ColumnRoom {
  readonly job: Int32Array<ArrayBuffer>
  readonly alternative: Uint16Array<ArrayBuffer>
  readonly low: Int32Array<ArrayBuffer>
  readonly high: Int32Array<ArrayBuffer>
  readonly cost: Float64Array<ArrayBuffer>
  readonly ask: Float64Array<ArrayBuffer>
  readonly bid: Int32Array<ArrayBuffer>
  readonly lock: Float64Array<ArrayBuffer>
}

/** Memory that is never written to is never taken. */
export function roomFor (room: number): ColumnRoom {
  return {
    job: new Int32Array(room), alternative: new Uint16Array(room), low: new Int32Array(room), high: new Int32Array(room),
    cost: new Float64Array(room), ask: new Float64Array(room), bid: new Int32Array(room), lock: new Float64Array(room)
  }
}

/** The same arrays, longer or shorter. Those given are used up, one after the other: a large market never holds all of them twice. */
export function resized ({ job, alternative, low, high, cost, ask, bid, lock }: ColumnRoom, length: number): ColumnRoom {
  const of = ({ buffer, BYTES_PER_ELEMENT }: { buffer: ArrayBuffer, BYTES_PER_ELEMENT: number }): ArrayBuffer => buffer.transfer(length * BYTES_PER_ELEMENT)
  return {
    job: new Int32Array(of(job)), alternative: new Uint16Array(of(alternative)), low: new Int32Array(of(low)), high: new Int32Array(of(high)),
    cost: new Float64Array(of(cost)), ask: new Float64Array(of(ask)), bid: new Int32Array(of(bid)), lock: new Float64Array(of(lock))
  }
}
