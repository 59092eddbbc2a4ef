import type { Clock } from '../core/clock.ts'
import { ChainError } from './errors.ts'

/** First wait and ceiling between two tries of a request that nobody answered. */
const FIRST_BACKOFF_MS = 50
const MAX_BACKOFF_MS = 5000

/** Settles as `promise` does, or rejects with the signal's reason when it aborts first. */
export async function abortable<T> (promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = (): void => undefined
  try {
    return await Promise.race([promise, new Promise<never>((_resolve, reject) => {
      onAbort = () => { reject(signal.reason as Error) }
      if (signal.aborted) onAbort()
      signal.addEventListener('abort', onAbort, { once: true })
    })])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** Repeats `request` while the chain is unreachable, with back-off. When the signal aborts, rejects with the last CHAIN_UNREACHABLE. */
export async function whileUnreachable<T> (clock: Clock, signal: AbortSignal, request: () => Promise<T>): Promise<T> {
  for (let backoffMs = FIRST_BACKOFF_MS; ; backoffMs = Math.min(backoffMs * 2, MAX_BACKOFF_MS)) {
    try {
      return await request()
    } catch (error) {
      if (!(error instanceof ChainError) || error.code !== 'CHAIN_UNREACHABLE' || signal.aborted) throw error
      await clock.wait(backoffMs, signal).catch(() => { throw error })
    }
  }
}
