import assert from 'node:assert/strict'

/** A clock whose one timer fires when it is told to, as late as it is told to. */
export function lateClock () {
  let nowMs = 1_000
  let timer: { dueMs: number, task: () => void } | undefined
  return {
    now: () => nowMs,
    after: (delayMs: number, task: () => void) => {
      timer = { dueMs: nowMs + delayMs, task }
      return () => { timer = undefined }
    },
    isArmed: () => timer !== undefined,
    /** Returns how long the timer was to wait from now. */
    fire: (lateMs: number): number => {
      assert.ok(timer !== undefined, 'a timer is armed')
      const { dueMs, task } = timer
      const waitedMs = dueMs - nowMs
      timer = undefined
      nowMs = dueMs + lateMs
      task()
      return waitedMs
    }
  }
}
