import type { Helia } from 'helia'
import { StoreError } from './errors.ts'
import { collect } from './verified-blockstore.ts'

type Walker = NonNullable<NonNullable<Parameters<Helia['pins']['add']>[1]>['walker']>

/**
 * Every block of a DAG that is here, each once, and an error on the first that is not. Helia's own walker fetches what is
 * missing without limits, and where that fails leaves a rejection behind that nobody handles.
 */
export const createLocalWalker: Walker = ({ blockstore, getCodec }) => ({
  walk: async function * (root, options) {
    const { createUnsafe } = await import('multiformats/block')
    const seen = new Set<string>()
    const open = [root]
    for (let cid = open.pop(); cid !== undefined; cid = open.pop()) {
      options?.signal?.throwIfAborted()
      if (seen.has(cid.toString())) continue
      seen.add(cid.toString())
      if (!await blockstore.has(cid)) throw new StoreError('STORE_NOT_FOUND', `block ${cid.toString()} is not here`, { data: { cid: cid.toString() } })
      const bytes = await collect(blockstore.get(cid))
      const block = createUnsafe({ bytes, cid, codec: await getCodec(cid.code) })
      yield { block, depth: 0, path: [] }
      for (const [, link] of block.links()) open.push(link)
    }
  }
})
