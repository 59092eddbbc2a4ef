import { stat } from 'node:fs/promises'
import type { SessionBlockstore } from 'helia'
import type { CID } from 'multiformats/cid'
import { errorMessage } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { Mesh } from '../mesh/mesh.ts'
import { createAnnouncer, type Announcer } from './announcer.ts'
import { toStoreError, type Datastore } from './datastore.ts'
import { StoreError } from './errors.ts'
import { createBudget, readFile, readTree, type FetchLimits } from './fetch.ts'
import { startHelia, type HeliaNode } from './helia.ts'
import { serveBitswapLazily } from './lazy-bitswap.ts'
import { createLocalWalker } from './local-walker.ts'
import { CONNECT_TIMEOUT_MS } from './options.ts'
import { createPatientSession } from './patient-session.ts'
import { assertTree, type FileTree } from './tree.ts'

export type { FileTree } from './tree.ts'

/** `announce`: pinned content is offered in the DHT too. Not for what only known peers will ask for: an announcement costs every node near the key a request, now and at each renewal. */
interface WriteOptions { pin: boolean, announce?: boolean, signal: AbortSignal }
interface ReadOptions { maxBytes: number, signal: AbortSignal, from?: readonly string[] }

/**
 * Content by CID, shared over bitswap. CIDs are text (CIDv1, base32). Helia is loaded on first use. Errors are StoreError:
 * STORE_NOT_FOUND (nobody had it before the signal fired), STORE_TREE_INVALID, STORE_TOO_LARGE, STORE_CID, STORE_CORRUPT, STORE_FULL, STORE_IO.
 */
export interface Blocks {
  readonly loaded: boolean
  /** Serves what is on disk from an earlier run; Helia is loaded when a peer first asks. */
  start: () => Promise<void>
  addBytes: (bytes: Uint8Array, options: WriteOptions) => Promise<string>
  /** A UnixFS directory; the CID depends on paths and contents only. */
  addTree: (files: FileTree, options: WriteOptions) => Promise<string>
  /** `from`: peer ids that have it; they are connected and asked first, without a lookup. */
  getBytes: (cid: string, options: ReadOptions) => Promise<Uint8Array>
  getTree: (cid: string, options: ReadOptions & { maxFiles: number }) => Promise<Map<string, Uint8Array>>
  /** Keeps content that is here already (it is not fetched). */
  pin: (cid: string, options: { signal: AbortSignal, announce?: boolean }) => Promise<void>
  unpin: (cid: string, options: { signal: AbortSignal }) => Promise<void>
  isPinned: (cid: string) => Promise<boolean>
  /** Deletes every block that no pin holds. */
  collect: (options: { signal: AbortSignal }) => Promise<void>
  stop: () => Promise<void>
}

export function createBlocks (components: { mesh: Pick<Mesh, 'libp2p' | 'peerId'>, datastore: Datastore, logger: Logger, connect?: (peerId: string, signal: AbortSignal) => Promise<void> }, options: { path: string }): Blocks {
  const { mesh, datastore } = components
  const logger = components.logger.child('blocks')
  const stopping = new AbortController()
  let node: Promise<HeliaNode> | undefined
  let loaded = false
  let announcer: Announcer | undefined
  let pinning: Promise<void> = Promise.resolve()
  let removeLazy = async (): Promise<void> => undefined

  const load = async (): Promise<HeliaNode> => {
    if (stopping.signal.aborted) throw new StoreError('STORE_CLOSED', 'the block store is stopped')
    node ??= (async () => {
      await removeLazy()
      const started = await startHelia({ libp2p: mesh.libp2p, datastore: datastore.interface, logger }, options)
      announcer = createAnnouncer({ libp2p: mesh.libp2p, logger })
      loaded = true
      return started
    })()
    return await node
  }
  const parse = async (text: string): Promise<CID> => {
    const { CID } = await import('multiformats/cid')
    try {
      return CID.parse(text)
    } catch (error) {
      throw new StoreError('STORE_CID', `not a CID: ${text.slice(0, 100)}`, { cause: error })
    }
  }
  /** Runs `work` with a signal that also fires on stop; whatever it throws comes out as StoreError. */
  const guarded = async <T>(signal: AbortSignal, cid: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    const both = AbortSignal.any([signal, stopping.signal])
    try {
      both.throwIfAborted()
      return await work(both)
    } catch (error) {
      throw toContentError(error, both, cid, options.path)
    }
  }
  const connect = components.connect ?? (async (peer, signal) => {
    const { peerIdFromString } = await import('@libp2p/peer-id')
    await mesh.libp2p.dial(peerIdFromString(peer), { signal })
  })
  /** Those of `from` that could be connected to, as Helia names peers. */
  const reach = async (from: readonly string[], signal: AbortSignal): Promise<CID[]> => {
    const { peerIdFromString } = await import('@libp2p/peer-id')
    const others = from.filter((peer) => peer !== mesh.peerId)
    const results = await Promise.allSettled(others.map(async (peer) => {
      await connect(peer, AbortSignal.any([signal, AbortSignal.timeout(CONNECT_TIMEOUT_MS)]))
      return peerIdFromString(peer).toCID()
    }))
    return results.flatMap((result) => result.status === 'fulfilled' ? [result.value] : [])
  }
  /** Reads through a session with the peers that have it, else through all peers and the DHT. */
  const read = async <T>(cid: string, given: ReadOptions, limits: FetchLimits, overspent: (what: string) => StoreError, use: (fs: HeliaNode['fs'], root: CID, signal: AbortSignal) => Promise<T>): Promise<T> => await guarded(given.signal, cid, async (signal) => {
    const root = await parse(cid)
    const { helia } = await load()
    const { unixfs } = await import('@helia/unixfs')
    // Ends what is still asked for when one part of a fetch failed.
    const done = new AbortController()
    const ending = AbortSignal.any([signal, done.signal])
    const through = async (blockstore: Parameters<typeof createBudget>[0]): Promise<T> => await use(unixfs({ blockstore: createBudget(blockstore, limits, overspent) }), root, ending)
    let session: SessionBlockstore | undefined
    try {
      const providers = await helia.blockstore.has(root) ? [] : await reach(given.from ?? [], signal)
      if (providers.length > 0) {
        session = helia.blockstore.createSession(root, { providers, maxProviders: providers.length, signal: ending })
        return await through(createPatientSession({ session, all: helia.blockstore, logger }))
      }
      return await through(helia.blockstore)
    } finally {
      done.abort()
      session?.close()
    }
  })
  /** Helia counts pins per block by reading and writing back, so two trees that share a block are pinned one after the other. */
  const alone = async (work: () => Promise<void>): Promise<void> => {
    const turn = pinning.then(work)
    pinning = turn.catch(() => undefined)
    await turn
  }
  const pin = async (root: CID, signal: AbortSignal, announce: boolean): Promise<void> => {
    const { helia } = await load()
    await alone(async () => {
      try {
        for await (const _ of helia.pins.add(root, { signal, walker: createLocalWalker })) signal.throwIfAborted()
      } catch (error) {
        if (!(error instanceof Error && error.name === 'AlreadyPinnedError')) throw error
      }
    })
    if (announce) announcer?.announce(root)
  }
  const finish = async (root: CID, write: WriteOptions, signal: AbortSignal): Promise<string> => {
    if (write.pin) await pin(root, signal, write.announce ?? false)
    return root.toString()
  }
  return {
    get loaded () { return loaded },
    start: async () => {
      const found = await stat(options.path).catch(() => undefined)
      if (found === undefined || node !== undefined) return
      removeLazy = await serveBitswapLazily({ libp2p: mesh.libp2p, logger }, load)
    },
    addBytes: async (bytes, write) => await guarded(write.signal, '', async (signal) => await finish(await (await load()).fs.addBytes(bytes, { signal } as object), write, signal)),
    addTree: async (files, write) => await guarded(write.signal, '', async (signal) => {
      assertTree(files)
      const { fs } = await load()
      let root = files.size === 0 ? await fs.addDirectory() : undefined
      const source = [...files].sort(([a], [b]) => a < b ? -1 : 1).map(([path, content]) => ({ path, content }))
      for await (const entry of fs.addAll(source, { wrapWithDirectory: true, fileImportConcurrency: 8 })) {
        signal.throwIfAborted()
        if (entry.path === '' || entry.path === undefined) root = entry.cid
      }
      if (root === undefined) throw new StoreError('STORE_IO', 'the tree has no root')
      return await finish(root, write, signal)
    }),
    getBytes: async (cid, given) => {
      const tooLarge = (): StoreError => new StoreError('STORE_TOO_LARGE', `${cid} is larger than ${given.maxBytes} bytes`, { data: { cid, maxBytes: given.maxBytes } })
      return await read(cid, given, { maxBytes: given.maxBytes, maxFiles: 1 }, tooLarge, async (fs, root, signal) => await readFile(fs, root, { maxBytes: given.maxBytes, signal, tooLarge }))
    },
    getTree: async (cid, given) => {
      const limits = { maxBytes: given.maxBytes, maxFiles: given.maxFiles }
      const overspent = (what: string): StoreError => new StoreError('STORE_TREE_INVALID', `${cid}: ${what}`, { data: { cid, ...limits } })
      return await read(cid, given, limits, overspent, async (fs, root, signal) => await readTree(fs, root, limits, signal))
    },
    pin: async (cid, { signal, announce }) => { await guarded(signal, cid, async (both) => { await pin(await parse(cid), both, announce ?? false) }) },
    unpin: async (cid, { signal }) => {
      await guarded(signal, cid, async (both) => {
        const root = await parse(cid)
        const { helia } = await load()
        await alone(async () => {
          // Only a root has an entry; a block inside another pinned tree has none.
          for await (const held of helia.pins.ls({ cid: root, signal: both })) {
            if (!held.cid.equals(root)) continue
            for await (const _ of helia.pins.rm(root, { signal: both, walker: createLocalWalker })) both.throwIfAborted()
          }
        })
        await announcer?.withdraw(root, both)
      })
    },
    isPinned: async (cid) => await guarded(stopping.signal, cid, async () => await (await load()).helia.pins.isPinned(await parse(cid))),
    collect: async ({ signal }) => { await guarded(signal, '', async (both) => { await (await load()).helia.gc({ signal: both }) }) },
    stop: async () => {
      stopping.abort(new StoreError('STORE_CLOSED', 'the block store is stopped'))
      await announcer?.stop()
      await removeLazy()
      const running = await node?.catch(() => undefined)
      await running?.helia.stop()
    }
  }
}

/** The reason behind what Helia threw. */
function toContentError (error: unknown, signal: AbortSignal, cid: string, path: string): StoreError {
  if (error instanceof StoreError) return error
  for (let at: unknown = error; at instanceof Error; at = at.cause) if (at instanceof StoreError) return at
  if (error instanceof AggregateError) for (const inner of error.errors) if (inner instanceof StoreError) return inner
  if (signal.aborted) return signal.reason instanceof StoreError ? signal.reason : new StoreError('STORE_NOT_FOUND', `nobody had ${cid} in time`, { data: { cid }, cause: error })
  const name = error instanceof Error ? error.name : ''
  if (['NotFoundError', 'LoadBlockFailedError', 'BlockNotFoundWhileOfflineError', 'InsufficientProvidersError'].includes(name)) return new StoreError('STORE_NOT_FOUND', `nobody had ${cid}`, { data: { cid }, cause: error })
  if (/NotUnixFS|NotAFile|PBNode|PBLink|UnknownCodec|OverRead|UnderRead|BadPath|NoResolver|NotADirectory|InvalidParameters|CBOR|NoContent/i.test(name)) return new StoreError('STORE_TREE_INVALID', `${cid}: ${errorMessage(error)}`, { data: { cid }, cause: error })
  return toStoreError(error, path)
}
