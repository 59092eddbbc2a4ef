import { yieldTurn } from './intake.ts'

/**
 * One caller in each turn of the event loop, the keys in rotation and each key's callers in order. A key that asks without end
 * makes another wait for one turn, not for all that it asked before. Where nobody waits, nobody is made to.
 */
export interface Turns {
  /** Resolves when it is this caller's turn. */
  wait: (key: string) => Promise<void>
}

export function createTurns (): Turns {
  const waiting = new Map<string, Array<() => void>>()
  let isRunning = false
  const run = async (): Promise<void> => {
    isRunning = true
    for (;;) {
      await yieldTurn()
      const first = waiting.entries().next().value
      if (first === undefined) break
      const [key, callers] = first
      const next = callers.shift()
      // A map keeps the order of insertion: to the end of it.
      waiting.delete(key)
      if (callers.length > 0) waiting.set(key, callers)
      next?.()
    }
    isRunning = false
  }
  return {
    wait: async (key) => {
      if (!isRunning) {
        void run()
        return
      }
      await new Promise<void>((resolve) => {
        const callers = waiting.get(key)
        if (callers === undefined) waiting.set(key, [resolve])
        else callers.push(resolve)
      })
    }
  }
}
