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
   * Resolves with what the worker found, at `deadlineMs` with the last that it reported, or with the first one after; undefined when there was none for a while
   * more: then it is terminated, unless it is its first. So is one whose signal aborts, which rejects with the signal's reason.
   */
  run: (request: SearchRequest, budget: Pick<Budget, 'deadlineMs' | 'signal' | 'clock'>, onFound: (found: Found) => void) => Promise<Found | undefined>
}

/** How long after its time the worker is listened to. Then it is terminated, although a new one compiles everything again. */
const PATIENCE_MS = 200
/** One that never ended a search may go on so long: whoever ends each before its code is compiled never has one that is fast. */
const FIRST_PATIENCE_MS = 2_000

/** A started worker and who listens to it now. `isWarm`: it has ended a search. */
interface Running { readonly worker: Worker, isWarm: boolean, listener: { message: (answer: SearchAnswer) => void, gone: (error?: Error) => void } | undefined }

export function createSearchThread (components: { logger: Logger }, options: { workerUrl: URL }): SearchThread {
  let idle: Running | undefined
  const start = (): Running => {
    const worker = new Worker(options.workerUrl, { env: {}, execArgv: [], stderr: true, resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MIB } })
    const running: Running = { worker, isWarm: false, listener: undefined }
    worker.on('message', (answer: SearchAnswer) => { running.listener?.message(answer) })
    worker.on('error', (error) => { running.listener?.gone(error) })
    worker.on('exit', () => {
      if (idle === running) idle = undefined
      running.listener?.gone()
    })
    // After the listeners, which hold the process: a worker that waits shall not.
    worker.unref()
    return running
  }
  return {
    run: async (request, { deadlineMs, signal, clock }, onFound) => {
      signal.throwIfAborted()
      // Searches that overlap get a worker each.
      const running = idle ?? start()
      idle = undefined
      let last: Found | undefined
      return await new Promise((resolve, reject) => {
        const end = (keep: boolean): void => {
          for (const cancel of cancels) cancel()
          signal.removeEventListener('abort', onAbort)
          running.listener = undefined
          if (keep) idle = running
          else running.worker.terminate().catch(() => undefined)
        }
        let isOver = false
        const answer = (): void => {
          isOver = true
          if (last !== undefined) resolve(last)
        }
        const left = Math.max(0, deadlineMs - clock.now())
        const giveUp = (): void => {
          if (running.isWarm) end(false)
          resolve(last)
        }
        const cancels = [clock.after(left, answer), clock.after(left + PATIENCE_MS, giveUp), clock.after(left + FIRST_PATIENCE_MS, () => { end(false) })]
        const onAbort = (): void => { end(false); reject(signal.reason as Error) }
        signal.addEventListener('abort', onAbort, { once: true })
        running.listener = {
          message: ({ found, done }) => {
            if (!isOver || last === undefined) last = found
            if (done) {
              running.isWarm = true
              end(true)
            } else if (!isOver) {
              onFound(found)
            }
            if (done || isOver) resolve(last)
          },
          // Out of memory, or a bug: the engine goes on with what it has.
          gone: (error) => {
            components.logger.warn('search-worker-failed', { error: error === undefined ? 'it ended' : errorMessage(error) })
            end(false)
            resolve(last)
          }
        }
        running.worker.postMessage(request)
      })
    }
  }
}
