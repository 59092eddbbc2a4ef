import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { errorMessage } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { Budget } from './engine.ts'
import type { LpModel } from './lp-model.ts'
import type { LpAnswer, LpRequest } from './lp-worker.ts'

/** The worker beside this file: `.ts` from source, `.js` when compiled. */
export const LP_WORKER_URL = new URL(`./lp-worker${extname(new URL(import.meta.url).pathname)}`, import.meta.url)

/** A program of 100 x 20 takes 20 MiB; a larger dense tableau shall end the worker, not the node. */
const MAX_HEAP_MIB = 256

/** One worker thread for the programs of one `solve`. */
export interface LpThread {
  /** Non-zero variables of an optimal point; undefined when the deadline came first or the worker failed. Rejects with the signal's reason. One at a time. */
  solve: (model: LpModel, budget: Pick<Budget, 'deadlineMs' | 'signal' | 'clock'>) => Promise<LpAnswer['values'] | undefined>
  /** Terminates the worker, whatever it is doing. */
  stop: () => Promise<void>
}

/** Starts the worker. It inherits neither flags nor environment, and does not keep the process alive. */
export function startLpThread (components: { logger: Logger }, options: { workerUrl: URL }): LpThread {
  const worker = new Worker(options.workerUrl, { env: {}, execArgv: [], stderr: true, resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MIB } })
  worker.unref()
  let failed = false
  let settle: (values: LpAnswer['values'] | undefined) => void = () => undefined
  worker.on('message', (answer: LpAnswer) => { settle(answer.values) })
  // A worker that is out of memory or threw: the engine goes on with what it has.
  worker.on('error', (error) => {
    components.logger.warn('lp-worker-failed', { error: errorMessage(error) })
    failed = true
    settle(undefined)
  })
  worker.on('exit', () => { failed = true; settle(undefined) })

  return {
    solve: async (model, { deadlineMs, signal, clock }) => {
      signal.throwIfAborted()
      if (failed || clock.now() >= deadlineMs) return undefined
      return await new Promise((resolve, reject) => {
        const cancel = clock.after(deadlineMs - clock.now(), () => { settle(undefined) })
        const onAbort = (): void => { end(); reject(signal.reason as Error) }
        const end = (): void => {
          cancel()
          signal.removeEventListener('abort', onAbort)
          settle = () => undefined
        }
        settle = (values) => { end(); resolve(values) }
        signal.addEventListener('abort', onAbort, { once: true })
        const request: LpRequest = { model }
        worker.postMessage(request)
      })
    },
    stop: async () => { await worker.terminate() }
  }
}
