import { Worker } from 'node:worker_threads'
import { errorMessage } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { Budget } from './engine.ts'
import type { SearchAnswer, SearchRequest } from './search-messages.ts'
import type { Found } from './search/search.ts'

/** A book of 80,000 x 15,000 takes 250 MiB; one that takes more shall end the worker, not the node. */
const MAX_HEAP_MIB = 1024

/** One worker thread for searches, one after the other. It is started by the first and kept: compiled code makes the next one faster. */
export interface SearchThread {
  /**
   * Resolves with the last solution that the worker reported before `deadlineMs`; undefined when there was none. A worker that is late is terminated, so is
   * one whose signal aborts, which rejects with the signal's reason.
   */
  run: (request: SearchRequest, budget: Pick<Budget, 'deadlineMs' | 'signal' | 'clock'>, onFound: (found: Found) => void) => Promise<Found | undefined>
}

export function createSearchThread (components: { logger: Logger }, options: { workerUrl: URL }): SearchThread {
  let idle: Worker | undefined
  const start = (): Worker => {
    const worker = new Worker(options.workerUrl, { env: {}, execArgv: [], stderr: true, resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MIB } })
    worker.unref()
    return worker
  }
  return {
    run: async (request, { deadlineMs, signal, clock }, onFound) => {
      signal.throwIfAborted()
      // Searches that overlap get a worker each.
      const worker = idle ?? start()
      idle = undefined
      let last: Found | undefined
      return await new Promise((resolve, reject) => {
        const end = (keep: boolean): void => {
          cancel()
          signal.removeEventListener('abort', onAbort)
          worker.removeAllListeners()
          // Without a listener an error of a worker on its way out would end the process.
          worker.on('error', () => undefined)
          if (keep) idle = worker
          else worker.terminate().catch(() => undefined)
        }
        const cancel = clock.after(Math.max(0, deadlineMs - clock.now()), () => { end(false); resolve(last) })
        const onAbort = (): void => { end(false); reject(signal.reason as Error) }
        signal.addEventListener('abort', onAbort, { once: true })
        worker.on('message', ({ found, done }: SearchAnswer) => {
          last = found
          if (done) end(true)
          else onFound(found)
          if (done) resolve(found)
        })
        // Out of memory, or a bug: the engine goes on with what it has.
        worker.on('error', (error) => {
          components.logger.warn('search-worker-failed', { error: errorMessage(error) })
          end(false)
          resolve(last)
        })
        worker.on('exit', () => { end(false); resolve(last) })
        worker.postMessage(request)
      })
    }
  }
}
