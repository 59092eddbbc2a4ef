import type { GossipSub } from '@chainsafe/libp2p-gossipsub'
import type { PeerId, Stream } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { MeshError } from './errors.ts'
import { MAX_GOSSIP_PACKET_BYTES } from './options.ts'

/** Of gossipsub 17.1.1, what its public type leaves out. */
interface Reader {
  isStarted: () => boolean
  peers: Map<string, PeerId>
  streamsInbound: Map<string, { close: () => Promise<void> }>
  createInboundStream: (peer: PeerId, stream: Stream) => void
  decodeRpc: (bytes: Uint8Array) => unknown
  handleReceivedRpc: (from: PeerId, packet: unknown) => Promise<void>
  handlePeerReadStreamError: (error: Error, peer: PeerId) => void
}

/** Bits of a length that one of its bytes carries, and the bytes that MAX_GOSSIP_PACKET_BYTES takes (unsigned varint of multiformats). */
const VARINT_BITS = 7
const MAX_LENGTH_BYTES = 3

/**
 * Gossipsub reads a peer's stream through five asynchronous iterators, one in the other. Here each chunk is cut into packets as it
 * comes, which are handled one after the other, so that what one brings upon its sender counts for the next. A packet that does not
 * decode is left out; one that is too long ends the reading.
 */
export function readDirectly (pubsub: GossipSub): void {
  const reader = pubsub as unknown as Reader
  reader.createInboundStream = (peer, stream) => {
    const id = peer.toString()
    if (!reader.isStarted() || !reader.peers.has(id)) return
    void reader.streamsInbound.get(id)?.close()
    const buffer = new Uint8ArrayList()
    let isHandling = false
    const handleAll = async (): Promise<void> => {
      isHandling = true
      try {
        for (const packet of packets(buffer)) await handle(reader, peer, packet)
      } catch (error) {
        stream.removeEventListener('message', onMessage)
        stream.abort(error as Error)
      } finally {
        isHandling = false
      }
    }
    const onMessage = ({ data }: { data: Uint8Array | Uint8ArrayList }): void => {
      buffer.append(data)
      if (!isHandling) void handleAll()
    }
    stream.addEventListener('message', onMessage)
    stream.addEventListener('close', ({ error }) => { if (error !== undefined) reader.handlePeerReadStreamError(error, peer) })
    reader.streamsInbound.set(id, { close: async () => { await stream.close().catch((error: unknown) => { stream.abort(error as Error) }) } })
  }
}

async function handle (reader: Reader, peer: PeerId, bytes: Uint8Array): Promise<void> {
  let packet: unknown
  try {
    packet = reader.decodeRpc(bytes)
  } catch {
    return
  }
  await reader.handleReceivedRpc(peer, packet).catch(() => undefined)
}

/** Takes whole packets off the front, each behind its length. MeshError MESH_FRAME_TOO_LARGE. */
function * packets (buffer: Uint8ArrayList): Generator<Uint8Array> {
  for (;;) {
    const size = sizeOf(buffer)
    if (size === undefined || buffer.byteLength < size.prefix + size.length) return
    const packet = buffer.subarray(size.prefix, size.prefix + size.length)
    buffer.consume(size.prefix + size.length)
    yield packet
  }
}

/** Bytes of the length in front, and the length; undefined where it has yet to come. */
function sizeOf (buffer: Uint8ArrayList): { prefix: number, length: number } | undefined {
  let length = 0
  for (let at = 0; at < Math.min(buffer.byteLength, MAX_LENGTH_BYTES); at++) {
    const byte = buffer.get(at)
    length += (byte & (2 ** VARINT_BITS - 1)) * 2 ** (VARINT_BITS * at)
    if (length > MAX_GOSSIP_PACKET_BYTES) break
    if (byte < 2 ** VARINT_BITS) return { prefix: at + 1, length }
  }
  if (buffer.byteLength < MAX_LENGTH_BYTES) return undefined
  throw new MeshError('MESH_FRAME_TOO_LARGE', `a gossip packet of more than ${MAX_GOSSIP_PACKET_BYTES} bytes`, { data: { limit: MAX_GOSSIP_PACKET_BYTES } })
}
