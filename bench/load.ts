import { readFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import type { Child } from './child.ts'
import { machineMs } from './commands.ts'

/** Percent of the machine's cores in use: by everything, and by the processes of the benchmark (which answer `cpuMs`). */
export interface Load { machine: number, processes: number }

/** Starts to watch; the returned function ends it. */
export async function watchLoad (processes: readonly Child[]): Promise<() => Promise<Load>> {
  const startMs = machineMs()
  const [ticks, usedMs] = [await machineTicks(), await cpuOf(processes)]
  return async () => {
    const [now, nowUsedMs] = [await machineTicks(), await cpuOf(processes)]
    return {
      machine: 100 * (now.busy - ticks.busy) / (now.all - ticks.all),
      processes: 100 * (nowUsedMs - usedMs) / ((machineMs() - startMs) * cpus().length)
    }
  }
}

async function cpuOf (processes: readonly Child[]): Promise<number> {
  const used = await Promise.all(processes.map(async (child) => await child.ask<number>('cpuMs')))
  return used.reduce((sum, value) => sum + value, 0)
}

/** Ticks of all cores since the start of the machine. Fields 4 and 5 of /proc/stat are idle and waiting for the disk. */
async function machineTicks (): Promise<{ busy: number, all: number }> {
  const [line = ''] = (await readFile('/proc/stat', 'utf8')).split('\n')
  const ticks = line.trim().split(/\s+/).slice(1).map(Number)
  const all = ticks.reduce((sum, value) => sum + value, 0)
  return { busy: all - (ticks[3] ?? 0) - (ticks[4] ?? 0), all }
}
