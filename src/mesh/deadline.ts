import type { Clock } from '../core/clock.ts'
import { MeshError } from './errors.ts'

/** An abort signal that fires after `timeoutMs` without `touch`, or with any of `signals`; `clear` when the work is done. */
export function createDeadline (clock: Clock, timeoutMs: number, signals: readonly AbortSignal[]): { signal: AbortSignal, touch: () => void, clear: () => void } {
  const controller = new AbortController()
  const expire = (): void => { controller.abort(new MeshError('MESH_TIMEOUT', `no progress within ${timeoutMs} ms`)) }
  let cancel = clock.after(timeoutMs, expire)
  const listeners = signals.map((signal) => {
    const onAbort = (): void => { controller.abort(signal.reason) }
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    return () => { signal.removeEventListener('abort', onAbort) }
  })
  return {
    signal: controller.signal,
    touch: () => {
      cancel()
      if (!controller.signal.aborted) cancel = clock.after(timeoutMs, expire)
    },
    clear: () => {
      cancel()
      for (const remove of listeners) remove()
    }
  }
}

/** `work`, or the signal's reason once it fires; `work` is then left to end on its own. */
export async function orAbort<T> (work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => { reject(signal.reason) }
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
