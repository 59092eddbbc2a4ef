/** Where a part reads time and waits. Tests put a manual clock here; nothing else in `src/` calls `Date.now`. */
export interface Clock {
  /** Unix time in milliseconds. */
  now: () => number
  /** Calls `task` once after `delayMs`; the returned function cancels it. */
  after: (delayMs: number, task: () => void) => () => void
  /** Resolves after `delayMs`, rejects with the signal's reason when it aborts first. */
  wait: (delayMs: number, signal?: AbortSignal) => Promise<void>
}

/** setTimeout holds 31 bits; longer waits fire at once, so they are cut and re-armed by their owner. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** The machine's own clock. */
export function createSystemClock (): Clock {
  const after = (delayMs: number, task: () => void): (() => void) => {
    const timer = setTimeout(task, Math.min(Math.max(0, delayMs), MAX_TIMER_MS))
    return () => { clearTimeout(timer) }
  }
  return { now: () => Date.now(), after, wait: (delayMs, signal) => waitWith(after, delayMs, signal) }
}

/** A clock that moves only when told to; due tasks run in order of their time. For tests and simulations. */
export function createManualClock (startMs = 1_700_000_000_000): Clock & { advance: (ms: number) => void } {
  let nowMs = startMs
  let tasks: Array<{ at: number, task: () => void }> = []
  const after = (delayMs: number, task: () => void): (() => void) => {
    const entry = { at: nowMs + Math.max(0, delayMs), task }
    tasks.push(entry)
    return () => { tasks = tasks.filter((other) => other !== entry) }
  }
  const advance = (ms: number): void => {
    const until = nowMs + ms
    for (;;) {
      const due = tasks.filter((entry) => entry.at <= until).sort((a, b) => a.at - b.at)[0]
      if (due === undefined) break
      tasks = tasks.filter((entry) => entry !== due)
      nowMs = Math.max(nowMs, due.at)
      due.task()
    }
    nowMs = until
  }
  return { now: () => nowMs, after, advance, wait: (delayMs, signal) => waitWith(after, delayMs, signal) }
}

async function waitWith (after: Clock['after'], delayMs: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted()
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void => { cancel(); reject(signal?.reason) }
    const cancel = after(delayMs, () => { signal?.removeEventListener('abort', onAbort); resolve() })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
