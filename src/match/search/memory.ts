/**
 * Memory that the searches of a thread take turns with. A page that is touched for the first time costs up to 10 µs, more than all that is written there; a search takes
 * thousands (bench/README.md). What is taken holds what the search before left there.
 */
export interface Memory {
  floats: (length: number) => Float64Array
  ints: (length: number) => Int32Array
  words: (length: number) => Uint32Array
  /** Nothing that was taken is used any more. */
  clear: () => void
}

const ALIGNMENT = 8
/** Less than this part used, and what a large book took is given back. */
const LEAST_USED = 4

export function createMemory (): Memory {
  let block = new ArrayBuffer(0)
  let used = 0
  const take = (bytes: number): [ArrayBuffer, number] => {
    const at = used
    used += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT
    // What does not fit stands alone; next time there is room for all.
    return used <= block.byteLength ? [block, at] : [new ArrayBuffer(bytes), 0]
  }
  return {
    floats: (length) => new Float64Array(...take(length * Float64Array.BYTES_PER_ELEMENT), length),
    ints: (length) => new Int32Array(...take(length * Int32Array.BYTES_PER_ELEMENT), length),
    words: (length) => new Uint32Array(...take(length * Uint32Array.BYTES_PER_ELEMENT), length),
    clear: () => {
      if (used > block.byteLength || used * LEAST_USED < block.byteLength) block = new ArrayBuffer(used)
      used = 0
    }
  }
}
