import { createHash } from 'node:crypto'
import type { FsBlockstore } from 'blockstore-fs'
import type { CID } from 'multiformats/cid'
import { equals } from 'uint8arrays/equals'
import type { Logger } from '../core/logger.ts'
import { StoreError } from './errors.ts'

const SHA2_256 = 0x12

/**
 * A blockstore on disk that never hands out a block that does not hash to its CID: a damaged one is removed, so that it
 * can be fetched again, and reading it throws StoreError STORE_CORRUPT. Helia checks what it fetches, not what it stored.
 */
export async function openBlockstore (components: { logger: Logger }, options: { path: string }): Promise<FsBlockstore> {
  const { FsBlockstore: Store } = await import('blockstore-fs')
  const store = new Store(options.path)
  const read = store.get.bind(store)
  store.get = async function * (cid, getOptions) {
    getOptions?.signal?.throwIfAborted()
    // Without the signal: aborted while it opens the file, the library would leave the file open.
    const block = await collect(read(cid))
    if (!matches(cid, block)) {
      components.logger.error('damaged block removed', { cid: cid.toString() })
      await store.delete(cid)
      const error = new StoreError('STORE_CORRUPT', `block ${cid.toString()} was damaged on disk`, { data: { cid: cid.toString() }, hint: 'It was removed; fetch the content again.' })
      // Bitswap answers "not here" to errors of this name, and stops answering at all on others.
      error.name = 'NotFoundError'
      throw error
    }
    yield block
  }
  await store.open()
  return store
}

function matches (cid: CID, block: Uint8Array): boolean {
  // Other hashes are verified where they are fetched; we make none.
  if (cid.multihash.code !== SHA2_256) return true
  return equals(createHash('sha256').update(block).digest(), cid.multihash.digest)
}

/** The parts of a block or file in one array. */
export async function collect (source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const part of source) parts.push(part)
  return concat(parts)
}

/** One array; no copy when there is one part. */
export function concat (parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0] as Uint8Array
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.byteLength
  }
  return all
}
