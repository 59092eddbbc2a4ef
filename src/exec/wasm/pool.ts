import { errorMessage } from '../../core/errors.ts'
import { type Clock } from '../../core/clock.ts'
import { type Logger } from '../../core/logger.ts'
import { ExecError } from '../errors.ts'
import { type SandboxChild } from './child-process.ts'

/** Children that wait for a job, and all that run one. */
export interface ChildPool {
  /** Fills up, around a child that is ready already. */
  start: (first: SandboxChild) => void
  /** A ready child, nobody else's; the pool refills behind it. Rejects with EXEC_SPAWN_FAILED, EXEC_STOPPED. */
  take: () => Promise<SandboxChild>
  /** Kills every child, waiting or running, and resolves when all are reaped. */
  stop: () => Promise<void>
  /** Children that exist now. */
  size: () => number
}

/**
 * `warm`: how many wait. A child serves one job; nothing of it is used twice. Places are filled `refillDelayMs` after one
 * was taken: starting a child costs a tenth of a second of a core, which a burst of jobs has a better use for.
 */
export function createChildPool (components: { logger: Logger, clock: Clock, spawn: () => SandboxChild }, options: { warm: number, refillDelayMs: number }): ChildPool {
  const { logger, clock } = components
  const alive = new Set<SandboxChild>()
  let waiting: SandboxChild[] = []
  let running = false
  let cancelRefill: (() => void) | undefined

  const adopt = (child: SandboxChild): SandboxChild => {
    alive.add(child)
    child.exited.then((exit) => {
      alive.delete(child)
      const wasWaiting = waiting.includes(child)
      waiting = waiting.filter((other) => other !== child)
      // Not replaced here: a child that cannot start would be started for ever. The next job refills.
      if (wasWaiting && running) logger.warn('exec.waiting-child-ended', { code: exit.code, signal: exit.signal, stderr: exit.stderr.slice(-500) })
    }).catch((error: unknown) => { logger.error('exec.pool', { error: errorMessage(error) }) })
    return child
  }
  const spawnOne = (): SandboxChild => adopt(components.spawn())
  const refill = (): void => {
    cancelRefill = undefined
    while (running && waiting.length < options.warm) waiting.push(spawnOne())
  }
  const refillSoon = (): void => { cancelRefill ??= clock.after(options.refillDelayMs, refill) }
  const requireRunning = (): void => {
    if (!running) throw new ExecError('EXEC_STOPPED', 'the executor is not running')
  }
  return {
    start: (first) => {
      running = true
      adopt(first)
      if (options.warm > 0) waiting.push(first)
      else first.kill()
      refillSoon()
    },
    take: async () => {
      requireRunning()
      waiting = waiting.filter((other) => !other.isGone())
      const warm = waiting.shift()
      const child = warm ?? spawnOne()
      refillSoon()
      try {
        await child.ready
      } catch (error) {
        if (warm === undefined || !running) throw error
        // A waiting child may have been ended from outside; a fresh one says whether children can start at all.
        const fresh = spawnOne()
        await fresh.ready
        return fresh
      }
      requireRunning()
      return child
    },
    stop: async () => {
      running = false
      cancelRefill?.()
      for (const child of alive) child.kill()
      await Promise.all([...alive].map(async (child) => await child.exited))
    },
    size: () => alive.size
  }
}
