import { MeshError } from './errors.ts'
import type { Frame, FrameChannel } from './frames.ts'

/** Two ends in one process: a node that holds both sides of a protocol talks to itself without a socket. */
export function createLocalChannels (): [FrameChannel, FrameChannel] {
  const a = createInbox()
  const b = createInbox()
  const join = (own: typeof a, other: typeof a): FrameChannel => ({
    read: own.next,
    write: async (kind, payload) => { await other.push({ kind, payload }) },
    end: async () => { other.end() },
    abort: (error) => { own.fail(error); other.fail(error) },
    closed: Promise.all([own.done, other.done]).then(() => undefined)
  })
  return [join(a, b), join(b, a)]
}

function createInbox (): { next: FrameChannel['read'], push: (frame: Frame) => Promise<void>, end: () => void, fail: (error: Error) => void, done: Promise<void> } {
  const frames: Array<Frame> = []
  const { promise: done, resolve: finish } = Promise.withResolvers<void>()
  let ended = false
  let failure: Error | undefined
  let wake = (): void => undefined
  let drained = (): void => undefined
  return {
    done,
    next: async () => {
      for (;;) {
        const frame = frames.shift()
        if (frame !== undefined) { drained(); return frame }
        if (failure !== undefined) throw failure
        if (ended) return undefined
        await new Promise<void>((resolve) => { wake = resolve })
      }
    },
    push: async (frame) => {
      if (failure !== undefined || ended) throw new MeshError('MESH_UNREACHABLE', 'the stream is closed', { cause: failure })
      frames.push(frame)
      wake()
      // One frame in flight is enough within a process.
      while (frames.length > 1 && failure === undefined) await new Promise<void>((resolve) => { drained = resolve })
    },
    end: () => { ended = true; wake(); finish() },
    fail: (error) => { failure ??= new MeshError('MESH_UNREACHABLE', `the stream was closed: ${error.message}`, { cause: error }); wake(); drained(); finish() }
  }
}
