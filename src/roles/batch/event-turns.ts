import type { Clock } from '../../core/clock.ts'
import { errorMessage } from '../../core/errors.ts'
import type { Logger } from '../../core/logger.ts'

/** Chain or disk may be away when an event comes: the event is not over before it was taken in. */
const RETRY_MS = 1000

/**
 * Takes in what the chain tells, one after the other: what ends a leaf must not overtake what began it. Each is tried until it succeeds;
 * rejects only when the signal says that the node stops: then the event comes again.
 */
export function createEventTurns ({ clock, logger }: { clock: Clock, logger: Logger }, { name, signal }: { name: string, signal: AbortSignal }): (work: () => Promise<void>) => Promise<void> {
  let queue: Promise<void> = Promise.resolve()
  const untilDone = async (work: () => Promise<void>): Promise<void> => {
    for (;;) {
      try {
        await work()
        return
      } catch (error) {
        if (signal.aborted) throw error
        logger.warn(name, { error: errorMessage(error) })
        await clock.wait(RETRY_MS, signal)
      }
    }
  }
  return async (work) => {
    const done = queue.then(async () => { await untilDone(work) })
    queue = done.catch(() => undefined)
    await done
  }
}
