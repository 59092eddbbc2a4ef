/** What a process of a benchmark does when it is asked (`child.ts`). */
export type Commands = Readonly<Record<string, (argument: never) => unknown>>

/** Answers the parent's commands until the parent lets go, then runs `stop` and ends the process. */
export function serveCommands (commands: Commands, stop: () => Promise<void>): void {
  /** A parent that let go wants no answers. */
  const say = (message: unknown): void => { if (process.connected) process.send?.(message) }
  const answer = async ({ id, command, argument }: { id: number, command: string, argument: unknown }): Promise<void> => {
    try {
      const run = commands[command] as ((argument: unknown) => unknown) | undefined
      if (run === undefined) throw new Error(`no command ${command}`)
      say({ id, value: await run(argument) })
    } catch (error) {
      say({ id, error: error instanceof Error ? error.stack : String(error) })
    }
  }
  process.on('message', (message: Parameters<typeof answer>[0]) => { void answer(message) })
  process.once('disconnect', () => {
    void stop().catch((error: unknown) => { process.stderr.write(`${String(error)}\n`) }).finally(() => { process.exit(0) })
  })
  say('ready')
}

/** Milliseconds of the machine's monotonic clock, which all processes share: times of two processes can be compared. */
export function machineMs (): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** Milliseconds of CPU that this process has used. */
export function cpuMs (): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** The same of its main thread alone. */
export function mainThreadMs (): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
