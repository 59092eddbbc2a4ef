import { identify } from '@libp2p/identify'
import type { Stream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createDecoder } from 'lib0/decoding'
import { createEncoder, length, toUint8Array } from 'lib0/encoding'
import { createLibp2p } from 'libp2p'
import { readSyncMessage, writeSyncStep1, writeUpdate } from 'y-protocols/sync'
import * as Y from 'yjs'
import { errorCode } from '../../src/core/errors.ts'
import { createFrameChannel, FRAME_DATA, type FrameChannel } from '../../src/mesh/frames.ts'
import { machineMs, serveCommands } from '../commands.ts'
import type { Offer } from '../crdts.ts'
import { digestOf } from '../offers.ts'
import { recordKey } from '../sendings.ts'

/**
 * Baseline of `crdts.ts`: one shared Y.Doc, every author a client id, an offer a key of a Y.Map; y-protocols sync over libp2p streams like
 * ours. It checks no signature, writes nothing to disk, and takes whatever anyone sends.
 */
const PROTOCOL = '/bench/yjs/1.0.0'
const MAX_FRAME_BYTES = 64 * 2 ** 20

const doc = new Y.Doc()
const offers = doc.getMap<Uint8Array>('offers')
const channels = new Set<FrameChannel>()
let synced = 0
const libp2p = await createLibp2p({
  addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] }, transports: [tcp()], connectionEncrypters: [noise()], streamMuxers: [yamux()], services: { identify: identify() }
})

const join = async (stream: Stream): Promise<void> => {
  const channel = createFrameChannel(stream, { maxFrameBytes: MAX_FRAME_BYTES })
  channels.add(channel)
  const first = createEncoder()
  writeSyncStep1(first, doc)
  await channel.write(FRAME_DATA, toUint8Array(first))
  synced++
  for (let frame = await channel.read(); frame !== undefined; frame = await channel.read()) {
    const answer = createEncoder()
    readSyncMessage(createDecoder(frame.payload), answer, doc, channel)
    if (length(answer) > 0) await channel.write(FRAME_DATA, toUint8Array(answer))
  }
}
const open = (stream: Stream): void => {
  join(stream).catch((error: unknown) => {
    // The others end first, or this one does.
    if (errorCode(error) !== 'MESH_UNREACHABLE') throw error
  })
}
await libp2p.handle(PROTOCOL, open)
// All are connected to all: what came from a peer is not passed on.
doc.on('update', (update: Uint8Array, origin: unknown) => {
  if (channels.has(origin as FrameChannel)) return
  const message = createEncoder()
  writeUpdate(message, update)
  const bytes = toUint8Array(message)
  for (const channel of channels) channel.write(FRAME_DATA, bytes).catch(() => { channels.delete(channel) })
})

serveCommands({
  start: () => String(libp2p.getMultiaddrs()[0]),
  connect: async (addresses: string[]) => { for (const address of addresses) open(await libp2p.dialProtocol(multiaddr(address), PROTOCOL)) },
  isReady: (peers: number) => synced >= peers,
  whenAll: async (size: number) => await new Promise<number>((resolve) => {
    let held = offers.size
    const look = (event?: Y.YMapEvent<Uint8Array>): void => {
      held += event?.keysChanged.size ?? 0
      if (held < size) return
      offers.unobserve(look)
      resolve(machineMs())
    }
    offers.observe(look)
    look()
  }),
  put: async (list: Offer[]) => {
    for (const [index, { author, bytes }] of list.entries()) {
      doc.clientID = 1 + author
      offers.set(recordKey(bytes), new Uint8Array(bytes))
      // A turn for what others sent, every 32 as ours.
      if (index % 32 === 31) await new Promise((resolve) => { setImmediate(resolve) })
    }
  },
  digest: () => digestOf(offers.values())
}, async () => { await libp2p.stop() })
