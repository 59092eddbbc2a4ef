/** Something that is started once and stopped once. `stop` awaits what is in flight. */
export interface Startable {
  start: () => Promise<void>
  stop: () => Promise<void>
}

/** Starts parts in order and stops them in reverse. Whoever sees a start fail calls `stop`, after all that starts at the same time has settled. */
export function createLifecycle (): { add: <T extends Startable>(part: T) => Promise<T>, stop: () => Promise<void> } {
  const running: Startable[] = []
  const stop = async (): Promise<void> => {
    const failures: unknown[] = []
    for (let part = running.pop(); part !== undefined; part = running.pop()) {
      await part.stop().catch((error: unknown) => { failures.push(error) })
    }
    if (failures.length > 0) throw new AggregateError(failures, 'some parts did not stop cleanly')
  }
  return {
    add: async (part) => {
      await part.start()
      running.push(part)
      return part
    },
    stop
  }
}
