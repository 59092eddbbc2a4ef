import type { Clock } from '../../src/core/clock.ts'

/** The machine's time, and more at each jump. */
export interface JumpingClock extends Clock {
  /** What is due by then is due now, once: who repeats something does it once a jump. */
  jump: (ms: number) => void
}

/** setTimeout holds 31 bits. */
const MAX_TIMER_MS = 2 ** 31 - 1

export function createJumpingClock (): JumpingClock {
  let aheadMs = 0
  const tasks = new Set<{ atMs: number, run: () => void }>()
  const now = (): number => Date.now() + aheadMs
  const after: Clock['after'] = (delayMs, task) => {
    const run = (): void => {
      cancel()
      task()
    }
    const timer = setTimeout(run, Math.min(Math.max(0, delayMs), MAX_TIMER_MS))
    const entry = { atMs: now() + delayMs, run }
    const cancel = (): void => {
      clearTimeout(timer)
      tasks.delete(entry)
    }
    tasks.add(entry)
    return cancel
  }
  return {
    now,
    after,
    wait: async (delayMs, signal) => {
      signal?.throwIfAborted()
      await new Promise<void>((resolve, reject) => {
        const onAbort = (): void => { cancel(); reject(signal?.reason) }
        const cancel = after(delayMs, () => { signal?.removeEventListener('abort', onAbort); resolve() })
        signal?.addEventListener('abort', onAbort, { once: true })
      })
    },
    jump: (ms) => {
      aheadMs += ms
      const due = [...tasks].filter(({ atMs }) => atMs <= now()).sort((left, right) => left.atMs - right.atMs)
      for (const entry of due) if (tasks.has(entry)) entry.run()
    }
  }
}
