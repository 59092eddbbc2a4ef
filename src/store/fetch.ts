import type { Helia } from 'helia'
import type { UnixFS } from '@helia/unixfs'
import type { CID } from 'multiformats/cid'
import { StoreError } from './errors.ts'
import { BASE_OVERHEAD_BYTES, ENTRY_OVERHEAD_BYTES, FETCH_CONCURRENCY, MAX_BLOCK_BYTES } from './options.ts'
import { assertName, assertPath } from './tree.ts'
import { collect, concat } from './verified-blockstore.ts'

type Blockstore = Pick<Helia['blockstore'], 'get' | 'put' | 'has'>

export interface FetchLimits { maxBytes: number, maxFiles: number }

const RAW = 0x55
const DAG_PB = 0x70

/**
 * What one fetch may cost, whatever the DAG claims: blocks and their bytes are counted as they come, and only
 * FETCH_CONCURRENCY are asked for at once. `overspent` makes the error.
 */
export function createBudget (blockstore: Blockstore, limits: FetchLimits, overspent: (what: string) => StoreError): Blockstore {
  let bytesLeft = limits.maxBytes + limits.maxFiles * ENTRY_OVERHEAD_BYTES + BASE_OVERHEAD_BYTES
  let blocksLeft = 64 + 4 * limits.maxFiles + Math.ceil(limits.maxBytes / (16 * 1024))
  let free = FETCH_CONCURRENCY
  const waiting: Array<() => void> = []
  return {
    put: blockstore.put.bind(blockstore),
    has: blockstore.has.bind(blockstore),
    get: async function * (cid, options) {
      if (blocksLeft-- <= 0) throw overspent('too many blocks')
      if (free > 0) free--
      else await new Promise<void>((resolve) => { waiting.push(resolve) })
      try {
        const block = await collect(blockstore.get(cid, options))
        bytesLeft -= block.byteLength
        if (bytesLeft < 0 || block.byteLength > MAX_BLOCK_BYTES) throw overspent('too many bytes')
        yield block
      } finally {
        const next = waiting.shift()
        if (next === undefined) free++
        else next()
      }
    }
  }
}

/**
 * One file's bytes: a raw block or a UnixFS file. The claimed size is checked first, the real one while reading, and in
 * the end they must agree. `size` where it is known already. StoreError STORE_TREE_INVALID.
 */
export async function readFile (fs: UnixFS, cid: CID, options: { maxBytes: number, signal: AbortSignal, tooLarge: () => StoreError, size?: bigint }): Promise<Uint8Array> {
  const { maxBytes, signal, tooLarge } = options
  let size = options.size
  if (size === undefined && cid.code === DAG_PB) {
    const found = await fs.stat(cid, { signal })
    if (found.type !== 'file') throw new StoreError('STORE_TREE_INVALID', `${cid.toString()} is not a file`, { data: { cid: cid.toString() } })
    size = found.size
  } else if (cid.code !== RAW && cid.code !== DAG_PB) {
    throw new StoreError('STORE_TREE_INVALID', `${cid.toString()} is not UnixFS`, { data: { cid: cid.toString() } })
  }
  if (size !== undefined && size > BigInt(maxBytes)) throw tooLarge()
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of fs.cat(cid, { signal })) {
    bytes += part.byteLength
    if (bytes > maxBytes) throw tooLarge()
    parts.push(part)
  }
  if (size !== undefined && BigInt(bytes) !== size) throw new StoreError('STORE_TREE_INVALID', `${cid.toString()} claims ${size} bytes and has ${bytes}`, { data: { cid: cid.toString() } })
  return concat(parts)
}

/** Every file below a UnixFS directory. StoreError STORE_TREE_INVALID beyond the limits or with names that could leave a folder. */
export async function readTree (fs: UnixFS, root: CID, limits: FetchLimits, signal: AbortSignal): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>()
  const seen = new Set<string>()
  const invalid = (what: string): StoreError => new StoreError('STORE_TREE_INVALID', `${root.toString()}: ${what}`, { data: { cid: root.toString(), ...limits } })
  let entries = 0
  let bytesLeft = limits.maxBytes
  const file = async (cid: CID, path: string, size?: bigint): Promise<void> => {
    const content = await readFile(fs, cid, { maxBytes: bytesLeft, signal, tooLarge: () => invalid(`more than ${limits.maxBytes} bytes`), ...(size === undefined ? {} : { size }) })
    bytesLeft -= content.byteLength
    if (bytesLeft < 0) throw invalid(`more than ${limits.maxBytes} bytes`)
    files.set(path, content)
  }
  const folder = async (cid: CID, path: string): Promise<void> => {
    const children: Array<Promise<void>> = []
    try {
      for await (const { name, cid: child } of fs.ls(cid, { signal })) {
        if (typeof name !== 'string') throw invalid('an entry without a name')
        assertName(name)
        const childPath = path === '' ? name : `${path}/${name}`
        assertPath(childPath)
        if (seen.has(childPath)) throw invalid('two entries of one name')
        seen.add(childPath)
        // Folders count too, so that empty ones are not free.
        if (++entries > 2 * limits.maxFiles) throw invalid(`more than ${limits.maxFiles} files`)
        children.push(visit(child, childPath))
      }
      await Promise.all(children)
    } finally {
      await Promise.allSettled(children)
    }
  }
  const visit = async (cid: CID, path: string): Promise<void> => {
    if (cid.code === RAW) { await file(cid, path); return }
    if (cid.code !== DAG_PB) throw invalid('content that is not UnixFS')
    const { type, size } = await fs.stat(cid, { signal })
    if (type === 'directory') { await folder(cid, path); return }
    await file(cid, path, size)
  }
  if (root.code !== DAG_PB || (await fs.stat(root, { signal })).type !== 'directory') throw invalid('not a folder')
  await folder(root, '')
  if (files.size > limits.maxFiles) throw invalid(`more than ${limits.maxFiles} files`)
  return files
}
