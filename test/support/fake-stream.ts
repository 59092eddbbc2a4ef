import type { Stream } from '@libp2p/interface'
import { createFrameChannel, type FrameChannel, type Unread } from '../../src/mesh/frames.ts'

/** As much of a libp2p stream as a frame channel touches: what a real one cannot be made to do at will. Chunks come in when told. */
export class FakeStream extends EventTarget {
  status = 'open'
  remoteWriteStatus = 'writable'
  readStatus = 'readable'
  readBufferLength = 0
  readableEnded = false
  pause (): void { this.readStatus = 'paused' }
  resume (): void { this.readStatus = 'readable' }
  abort (): void { this.status = 'aborted' }
  async close (): Promise<void> { this.status = 'closed' }

  get isPaused (): boolean { return this.readStatus === 'paused' }
  arrive (chunk: Uint8Array): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data: chunk }))
  }

  /** The other side says that nothing more comes. */
  endRemote (): void {
    this.dispatchEvent(new Event('remoteCloseWrite'))
    this.dispatchEvent(new Event('end'))
  }
}

export function channelOver (stream: FakeStream, maxFrameBytes: number, unread?: Unread): FrameChannel {
  return createFrameChannel(stream as unknown as Stream, { maxFrameBytes, ...(unread === undefined ? {} : { unread }) })
}

/** The header of a data frame (protocol/requests.md). */
export function frameHeader (payloadBytes: number, kind = 0): Uint8Array {
  const bytes = new Uint8Array(5)
  new DataView(bytes.buffer).setUint32(0, payloadBytes + 1)
  bytes[4] = kind
  return bytes
}
