import { join } from 'node:path'
import { gossipsub } from '@chainsafe/libp2p-gossipsub'
import { withBitswap } from '@helia/bitswap'
import * as dagCbor from '@ipld/dag-cbor'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { ComposedStorage, createOrbitDB, IPFSAccessController, LevelStorage, LRUStorage, type OrbitDB, type Storage, type Store } from '@orbitdb/core'
import { FsBlockstore } from 'blockstore-fs'
import { createHeliaLight } from 'helia'
import { createLibp2p } from 'libp2p'
import { machineMs, serveCommands } from '../commands.ts'
import type { Offer } from '../crdts.ts'
import { digestOf } from '../offers.ts'
import { recordKey } from '../sendings.ts'

/**
 * Baseline of `crdts.ts`: OrbitDB's key-value database on Helia and libp2p, loopback TCP only. Each node writes under one identity of
 * OrbitDB's own; the authors are in the offers, whose signatures it does not look at.
 */
/** OrbitDB's own default. */
const CACHE_SIZE = 1000

const libp2p = await createLibp2p({
  addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] }, transports: [tcp()], connectionEncrypters: [noise()], streamMuxers: [yamux()],
  services: { identify: identify(), pubsub: gossipsub({ allowPublishToZeroTopicPeers: true, emitSelf: false }) }
})
let orbitdb: OrbitDB | undefined
let store: Store | undefined
const opened = (): Store => {
  if (store === undefined) throw new Error('not opened')
  return store
}
const indexed = new Set<string>()
const watchers = new Set<() => void>()

/** OrbitDB tells of new heads only; what came with them shows in its index of entries. */
const watchIndex = (storage: Storage): Storage => ({
  ...storage,
  put: async (hash, data) => {
    await storage.put(hash, data)
    indexed.add(hash)
    for (const look of watchers) look()
  }
})

serveCommands({
  start: async (folder: string) => {
    const helia = createHeliaLight({ blockstore: new FsBlockstore(join(folder, 'blocks')), codecs: [dagCbor] })
    withBitswap(Object.assign(helia, { libp2p }))
    await helia.start()
    orbitdb = await createOrbitDB({ ipfs: helia, id: folder, directory: join(folder, 'orbitdb') })
    return String(libp2p.getMultiaddrs()[0])
  },
  connect: async (addresses: string[]) => { for (const address of addresses) await libp2p.dial(multiaddr(address)) },
  /** The first creates the database, the others open it by its address. */
  open: async ({ folder, address }: { folder: string, address?: string }) => {
    const index = await ComposedStorage(await LRUStorage({ size: CACHE_SIZE }), await LevelStorage({ path: join(folder, 'index') }))
    const options = { indexStorage: watchIndex(index) }
    store = await (orbitdb as OrbitDB).open(address ?? 'offers', address === undefined ? { ...options, type: 'keyvalue', AccessController: IPFSAccessController({ write: ['*'] }) } : options)
    store.events.on('error', (error) => { process.stderr.write(`orbitdb: ${String(error)}\n`) })
    return String(store.address)
  },
  isReady: (peers: number) => opened().peers.size >= peers,
  whenAll: async (size: number) => await new Promise<number>((resolve) => {
    const look = (): void => {
      if (indexed.size < size) return
      watchers.delete(look)
      resolve(machineMs())
    }
    watchers.add(look)
    look()
  }),
  held: () => indexed.size,
  put: async (offers: Offer[]) => {
    await Promise.all(offers.map(async ({ bytes }) => await opened().put(recordKey(bytes), bytes)))
  },
  digest: async () => digestOf((await opened().all()).map(({ value }) => value))
}, async () => {
  await store?.close()
  await orbitdb?.stop()
  await libp2p.stop()
})
