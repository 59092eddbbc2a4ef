import { once } from 'node:events'
import type { Libp2p, Stream } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'

/** Baseline of `reconcile.ts`: bytes over one libp2p stream, unread and unchecked. */
const PROTOCOL = '/bench/transfer/1.0.0'
const CHUNK_BYTES = 64 * 1024

/** Gives `bytes` to whoever opens the stream. */
export async function serveTransfer (libp2p: Libp2p, bytes: () => Uint8Array): Promise<void> {
  await libp2p.handle(PROTOCOL, (stream) => {
    send(stream, bytes()).catch((error: unknown) => { stream.abort(error instanceof Error ? error : new Error(String(error))) })
  })
}

async function send (stream: Stream, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.byteLength; at += CHUNK_BYTES) {
    if (!stream.send(bytes.subarray(at, at + CHUNK_BYTES)) && stream.writableNeedsDrain) await once(stream, 'drain')
  }
  await stream.close()
}

/** Reads all that the peer gives. Resolves to its size. */
export async function pullTransfer (libp2p: Libp2p, peerId: string): Promise<number> {
  const stream = await libp2p.dialProtocol(peerIdFromString(peerId), PROTOCOL)
  let bytes = 0
  for await (const chunk of stream) bytes += chunk.byteLength
  await stream.close()
  return bytes
}
