import type { Stream } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { HEADER_BYTES } from './frame-parser.ts'

/** Resolves when the stream takes more; `payload` is not copied. Rejects when the stream is gone. */
export async function writeFrame (stream: Stream, kind: number, payload: Uint8Array): Promise<void> {
  const header = new DataView(new ArrayBuffer(HEADER_BYTES))
  header.setUint32(0, payload.byteLength + 1)
  header.setUint8(4, kind)
  if (!stream.send(new Uint8ArrayList(new Uint8Array(header.buffer), payload))) await drained(stream)
}

/** libp2p's own `onDrain` resolves at once from the second time on, so it would let the write buffer grow without bound. */
async function drained (stream: Stream): Promise<void> {
  if (!stream.writableNeedsDrain) return
  await new Promise<void>((resolve, reject) => {
    const settle = (event: Event & { error?: Error }): void => {
      stream.removeEventListener('drain', settle)
      stream.removeEventListener('close', settle)
      if (event.type === 'drain') resolve()
      else reject(event.error ?? new Error('stream closed'))
    }
    stream.addEventListener('drain', settle)
    stream.addEventListener('close', settle)
  })
}
