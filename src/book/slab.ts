/**
 * Bytes of one piece of memory that short records share: memory of its own costs each record three allocations, and the collector
 * another object to look after for as long as it lives. Half of what the longest record has: whatever else is let go of, a
 * record that stays holds less than it might by itself.
 */
export const SLAB_BYTES = 8192
/** Longer ones would leave too much of a slab empty. */
const MAX_SHARED_BYTES = SLAB_BYTES / 4

/** Copies bytes one after the other into slabs. A copy must not be written to, nor its buffer handed to another thread. */
export function createSlabs (): (bytes: Uint8Array) => Uint8Array {
  let slab = new Uint8Array(0)
  let at = 0
  return (bytes) => {
    if (bytes.length > MAX_SHARED_BYTES) return new Uint8Array(bytes)
    if (at + bytes.length > slab.length) {
      slab = new Uint8Array(SLAB_BYTES)
      at = 0
    }
    const copy = slab.subarray(at, at += bytes.length)
    copy.set(bytes)
    return copy
  }
}
