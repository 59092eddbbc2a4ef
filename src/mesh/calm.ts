import type { Clock } from '../core/clock.ts'
import type { Random } from '../core/random.ts'
import { AGAIN_MS, LATE_MS } from './options.ts'

/**
 * Calls `task` after `delayMs`, and later where this process is behind: a timer that fires late says that others wait for its core, or
 * that it has more urgent work of its own. Then it waits again, by a drawn time, until it fires in time, at most `patienceMs` longer.
 *
 * @returns cancels it.
 */
export function afterCalm (components: { clock: Pick<Clock, 'now' | 'after'>, random: Random }, { delayMs, patienceMs }: { delayMs: number, patienceMs: number }, task: () => void): () => void {
  const { clock, random } = components
  const untilMs = clock.now() + delayMs + patienceMs
  let cancel: () => void
  const wait = (ms: number): void => {
    const dueMs = clock.now() + ms
    cancel = clock.after(ms, () => {
      const nowMs = clock.now()
      if (nowMs - dueMs >= LATE_MS && nowMs < untilMs) wait(Math.min(untilMs - nowMs, AGAIN_MS + random.below(AGAIN_MS)))
      else task()
    })
  }
  wait(delayMs)
  return () => { cancel() }
}
