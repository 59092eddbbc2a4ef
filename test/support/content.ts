import { sha256 } from 'viem'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { create as createDigest } from 'multiformats/hashes/digest'
import type { Blocks } from '../../src/store/blocks.ts'
import { StoreError } from '../../src/store/errors.ts'
import { encodeCbor } from '../../src/wire/cbor.ts'

/** Content of all nodes of a scene in one map: a CID is the raw one of the bytes, or of the tree as CBOR. */
export function createContent (): Blocks {
  const held = new Map<string, Uint8Array | ReadonlyMap<string, Uint8Array>>()
  const add = (bytes: Uint8Array, content: Uint8Array | ReadonlyMap<string, Uint8Array>): string => {
    const cid = CID.createV1(raw.code, createDigest(0x12, Buffer.from(sha256(bytes).slice(2), 'hex'))).toString()
    held.set(cid, content)
    return cid
  }
  const get = (cid: string): Uint8Array | ReadonlyMap<string, Uint8Array> => {
    const content = held.get(cid)
    if (content === undefined) throw new StoreError('STORE_NOT_FOUND', `nobody has ${cid}`)
    return content
  }
  return {
    loaded: true,
    start: async () => undefined,
    stop: async () => undefined,
    addBytes: async (bytes) => add(bytes, bytes),
    addTree: async (files) => add(encodeCbor([...files]), new Map(files)),
    getBytes: async (cid) => get(cid) as Uint8Array,
    getTree: async (cid) => new Map(get(cid) as ReadonlyMap<string, Uint8Array>),
    pin: async (cid) => { get(cid) },
    unpin: async () => undefined,
    isPinned: async (cid) => held.has(cid),
    collect: async () => undefined
  }
}
