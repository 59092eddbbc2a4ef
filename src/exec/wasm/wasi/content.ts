import { fault } from './errno.ts'
import { type Quota } from './quota.ts'

/** The bytes of a file. Offsets and sizes are safe integers. */
export interface FileContent {
  readonly size: number
  /** Copies what lies at `offset` into `target`; returns the count, 0 at the end. */
  read: (offset: number, target: Uint8Array) => number
  /** Throws ENOSPC over the quota and EROFS for inputs; then nothing was written. */
  write: (offset: number, bytes: Uint8Array) => void
  /** Cuts, or extends with zeros. Throws as `write`. */
  resize: (size: number) => void
}

const CHUNK_BYTES = 65_536
/** First allocation of a chunk: small files stay small. */
const MIN_CHUNK_BYTES = 64

/** An input: shares the staged bytes and refuses every change. */
export function createFrozenContent (bytes: Uint8Array): FileContent {
  return {
    size: bytes.length,
    read: (offset, target) => {
      const part = bytes.subarray(Math.min(offset, bytes.length), Math.min(offset + target.length, bytes.length))
      target.set(part)
      return part.length
    },
    write: () => { throw fault('ROFS') },
    resize: () => { throw fault('ROFS') }
  }
}

/**
 * A file that grows by chunks, so that growing never copies what is there (doubling one buffer peaked at four times
 * the quota). The quota counts the logical size: holes cost what they will weigh as an output.
 */
export function createChunkedContent (quota: Quota): FileContent {
  let size = 0
  const chunks: Array<Uint8Array | undefined> = []

  const chunkFor = (index: number, needed: number): Uint8Array => {
    const old = chunks[index]
    if (old !== undefined && old.length >= needed) return old
    let length = Math.max(old?.length ?? 0, MIN_CHUNK_BYTES)
    while (length < needed) length *= 2
    const grown = new Uint8Array(length)
    if (old !== undefined) grown.set(old)
    chunks[index] = grown
    return grown
  }
  const resize = (next: number): void => {
    if (next > size) quota.takeBytes(next - size)
    if (next < size) {
      quota.giveBytes(size - next)
      chunks.length = Math.min(chunks.length, Math.ceil(next / CHUNK_BYTES))
      chunks[Math.floor(next / CHUNK_BYTES)]?.fill(0, next % CHUNK_BYTES)
    }
    size = next
  }
  /** Calls `visit` for each chunk that [offset, offset + length) touches. */
  const walk = (offset: number, length: number, visit: (chunk: number, start: number, done: number, count: number) => void): void => {
    for (let done = 0; done < length;) {
      const start = (offset + done) % CHUNK_BYTES
      const count = Math.min(CHUNK_BYTES - start, length - done)
      visit(Math.floor((offset + done) / CHUNK_BYTES), start, done, count)
      done += count
    }
  }
  return {
    get size () { return size },
    read: (offset, target) => {
      const length = Math.max(0, Math.min(target.length, size - offset))
      walk(offset, length, (index, start, done, count) => {
        const part = chunks[index]?.subarray(start, start + count) ?? new Uint8Array(0)
        target.set(part, done)
        target.fill(0, done + part.length, done + count)
      })
      return length
    },
    write: (offset, bytes) => {
      if (bytes.length === 0) return
      if (offset + bytes.length > size) resize(offset + bytes.length)
      walk(offset, bytes.length, (index, start, done, count) => {
        chunkFor(index, start + count).set(bytes.subarray(done, done + count), start)
      })
    },
    resize
  }
}
