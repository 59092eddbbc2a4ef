import { spawnSync } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { ChainError } from './errors.ts'

/**
 * Who runs the anvil of a data folder. The pipe guard of anvil.ts already ends anvil with its supervisor; this file is the second line,
 * and the lock that keeps two supervisors off one folder.
 */
export interface AnvilOwner {
  /** Ends an anvil whose supervisor is gone. Throws ChainError CHAIN_DATA_LOCKED when the supervisor lives. */
  claim: () => Promise<void>
  /** Notes the process id of the anvil that now runs. */
  note: (anvilPid: number) => Promise<void>
  release: () => Promise<void>
}

const ownerShape = z.object({ supervisorPid: z.number().int().positive(), anvilPid: z.number().int().positive() })
const GONE_TIMEOUT_MS = 3000
const GONE_POLL_MS = 20

/** `mark` is a string that stands in the command line of this folder's anvil and of no other process. */
export function createAnvilOwner (options: { path: string, mark: string }): AnvilOwner {
  const file = join(options.path, 'anvil-owner.json')
  return {
    claim: async () => {
      const owner = await readOwner(file)
      if (owner === undefined || !await isOurAnvil(owner.anvilPid, options.mark)) return
      if (isAlive(owner.supervisorPid)) {
        throw new ChainError('CHAIN_DATA_LOCKED', `process ${owner.supervisorPid} already runs the chain of ${options.path}`, { data: { path: options.path, pid: owner.supervisorPid }, hint: 'Stop that process, or choose another data folder.' })
      }
      process.kill(owner.anvilPid, 'SIGKILL')
      for (let waitedMs = 0; await isOurAnvil(owner.anvilPid, options.mark) && waitedMs < GONE_TIMEOUT_MS; waitedMs += GONE_POLL_MS) {
        await delay(GONE_POLL_MS)
      }
    },
    note: async (anvilPid) => {
      await mkdir(options.path, { recursive: true })
      await writeFile(file, JSON.stringify({ supervisorPid: process.pid, anvilPid }))
    },
    release: async () => { await rm(file, { force: true }) }
  }
}

async function readOwner (file: string): Promise<z.output<typeof ownerShape> | undefined> {
  try {
    return ownerShape.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch {
    // Absent, half-written or foreign: nobody can be named as the owner, and the port check still protects a live chain.
    return undefined
  }
}

/** A process id may have been given to another program since; only the command line tells. */
async function isOurAnvil (pid: number, mark: string): Promise<boolean> {
  if (!isAlive(pid)) return false
  const fromProc = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined)
  return (fromProc ?? spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout ?? '').includes(mark)
}

function isAlive (pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
