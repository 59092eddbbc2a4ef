import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Clock } from '../core/clock.ts'
import { errorMessage } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import { packClaims, verifyClaims, type SignatureCheck } from '../wire/signature.ts'
import { SIGNATURES } from './options.ts'

/** The worker beside this file: `.ts` from source, `.js` when compiled. */
const WORKER_URL = new URL(`./signature-worker${extname(new URL(import.meta.url).pathname)}`, import.meta.url)

/** Checks signatures on other threads, so that a flood of them holds up nothing else in the node. */
export interface SignaturePool {
  /** For each claim 1 where it holds, else 0. Never rejects. A few claims are checked at once, on this thread, and some more where none runs beside it. */
  verify: (claims: readonly SignatureCheck[]) => Promise<Uint8Array>
  /** Threads that run now; none until there is work for one. */
  readonly threads: number
  stop: () => Promise<void>
}

interface Task { packed: Uint8Array<ArrayBuffer>, settle: (verdicts: Uint8Array) => void }
/** `tasks`: what the thread was given and has not answered, in order. */
interface Thread { worker: Worker, tasks: Task[], cancelIdle: () => void }

/** @param options.size - most threads; 0 checks everything on this thread. */
export function createSignaturePool (components: { clock: Clock, logger: Logger }, options: { size?: number } = {}): SignaturePool {
  const { clock, logger } = components
  const size = options.size ?? Math.min(SIGNATURES.maxThreads, Math.max(1, availableParallelism() - 1))
  const threads = new Set<Thread>()
  const waiting: Task[] = []
  let isBroken = size === 0

  const end = (thread: Thread): void => {
    threads.delete(thread)
    thread.cancelIdle()
    void thread.worker.terminate()
  }
  /** A thread that cannot run: what it had is checked here, and no other is tried. */
  const fail = (thread: Thread, error: unknown): void => {
    if (!threads.has(thread)) return
    logger.warn('book.signature-thread', { error: errorMessage(error) })
    isBroken = true
    end(thread)
    for (const task of [...thread.tasks.splice(0), ...waiting.splice(0)]) task.settle(verifyClaims(task.packed))
  }
  /** Gives the thread what it may have; one that has nothing ends after a while. */
  const feed = (thread: Thread): void => {
    thread.cancelIdle()
    while (thread.tasks.length < SIGNATURES.tasksAhead) {
      const task = waiting.shift()
      if (task === undefined) break
      thread.tasks.push(task)
      // A copy goes: should the thread die, the claims are still here.
      thread.worker.postMessage(task.packed)
    }
    if (thread.tasks.length === 0) thread.cancelIdle = clock.after(SIGNATURES.idleMs, () => { end(thread) })
  }
  const begin = (): void => {
    const worker = new Worker(WORKER_URL, { env: {}, execArgv: [], stderr: true })
    worker.unref()
    const thread: Thread = { worker, tasks: [], cancelIdle: () => undefined }
    threads.add(thread)
    worker.on('message', (verdicts: Uint8Array) => {
      thread.tasks.shift()?.settle(verdicts)
      feed(thread)
    })
    worker.on('error', (error) => { fail(thread, error) })
    worker.on('exit', () => { fail(thread, new Error('the thread ended')) })
    feed(thread)
  }
  const dispatch = async (packed: Uint8Array<ArrayBuffer>): Promise<Uint8Array> => await new Promise((resolve) => {
    waiting.push({ packed, settle: resolve })
    const [idlest] = [...threads].sort((a, b) => a.tasks.length - b.tasks.length)
    if (threads.size < size && (idlest === undefined || idlest.tasks.length > 0)) begin()
    else if (idlest !== undefined) feed(idlest)
  })

  return {
    get threads () { return threads.size },
    verify: async (claims) => {
      if (claims.length === 0) return new Uint8Array(0)
      const packed = packClaims(claims)
      const isHere = isBroken || claims.length <= (threads.size === 0 ? SIGNATURES.beforeThread : SIGNATURES.atOnce)
      return isHere ? verifyClaims(packed) : await dispatch(packed)
    },
    stop: async () => {
      isBroken = true
      // A wrong answer would have an honest peer refused: what is left is checked here.
      for (const task of [...[...threads].flatMap((thread) => thread.tasks.splice(0)), ...waiting.splice(0)]) task.settle(verifyClaims(task.packed))
      for (const thread of [...threads]) end(thread)
    }
  }
}
