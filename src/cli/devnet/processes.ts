import { spawn } from 'node:child_process'
import { text as textOf } from 'node:stream/consumers'
import { open, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CliError } from '../errors.ts'

/** The `lilynode` entry, started with this process's own Node. */
const BINARY = fileURLToPath(new URL('../../../bin/lilynode', import.meta.url))
const POLL_MS = 25

/** A process of the mesh: its own session, so that it lives on when the orchestrator dies. */
export interface MeshProcess { name: string, root: string, pid: number }

/** Starts `lilynode ARGS --data ROOT` detached, logging to node.log there; nothing of ours reaches it but flags. */
export async function startProcess (name: string, root: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<MeshProcess> {
  const log = await open(join(root, 'node.log'), 'a', 0o600)
  try {
    const child = spawn(process.execPath, [BINARY, ...args, '--data', root], { detached: true, stdio: ['ignore', log.fd, log.fd], env })
    const pid = child.pid
    if (pid === undefined) throw new CliError('DEVNET_SPAWN', `could not start ${name}`, { data: { name } })
    child.unref()
    await writeFile(join(root, 'pid'), `${pid}\n`)
    return { name, root, pid }
  } finally {
    await log.close()
  }
}

/** Runs `lilynode ARGS --json` to its end; resolves to what it printed. Rejects with DEVNET_COMMAND. */
export async function runCommand<T> (args: readonly string[], env: Readonly<Record<string, string>>): Promise<T> {
  const child = spawn(process.execPath, [BINARY, ...args, '--json'], { stdio: ['ignore', 'pipe', 'pipe'], env })
  const [stdout, stderr] = await Promise.all([textOf(child.stdout), textOf(child.stderr)])
  try {
    return JSON.parse(stdout) as T
  } catch (error) {
    throw new CliError('DEVNET_COMMAND', `lilynode ${args.join(' ')}: ${stderr.trim()}`, { data: { args }, cause: error })
  }
}

/** The process that a folder's pid file names, if it runs and is ours. */
export async function findProcess (name: string, root: string): Promise<MeshProcess | undefined> {
  try {
    const pid = Number(await readFile(join(root, 'pid'), 'utf8'))
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8')
    return command.includes(root) ? { name, root, pid } : undefined
  } catch {
    return undefined
  }
}

/** True while the process runs. */
export function isRunning (process_: MeshProcess): boolean {
  try {
    process.kill(process_.pid, 0)
    return true
  } catch {
    return false
  }
}

/** Asks all to stop, waits, and ends by force what does not. */
export async function stopProcesses (processes: readonly MeshProcess[], options: { graceMs: number }): Promise<void> {
  for (const each of processes) signal(each, 'SIGTERM')
  const until = Date.now() + options.graceMs
  while (processes.some(isRunning) && Date.now() < until) await wait(POLL_MS)
  for (const each of processes.filter(isRunning)) signal(each, 'SIGKILL')
  for (const each of processes) await rm(join(each.root, 'pid'), { force: true })
}

/** Polls until `probe` gives a value. Rejects with the process's own code when it ended with one, else with DEVNET_NOT_READY and the end of its log. */
export async function untilReady<T> (process_: MeshProcess, options: { timeoutMs: number, signal: AbortSignal }, probe: () => Promise<T | undefined>): Promise<T> {
  const until = Date.now() + options.timeoutMs
  while (Date.now() < until) {
    options.signal.throwIfAborted()
    const value = await probe()
    if (value !== undefined) return value
    if (!isRunning(process_)) break
    await wait(POLL_MS)
  }
  const log = await readFile(join(process_.root, 'node.log'), 'utf8').catch(() => '')
  const lines = log.trimEnd().split('\n').slice(-5)
  // What the process itself said last is more use than that it did not come up.
  const said = isRunning(process_) ? undefined : /^lilynode: ([A-Z_]+): (.*)$/m.exec(lines.join('\n'))
  throw new CliError(said?.[1] ?? 'DEVNET_NOT_READY', `${process_.name} did not come up${said === null || said === undefined ? `; the end of its log:\n${lines.join('\n')}` : `: ${said[2] ?? ''}`}`, { data: { name: process_.name, log: join(process_.root, 'node.log') } })
}

export async function wait (ms: number): Promise<void> {
  await new Promise<void>((resolve) => { setTimeout(resolve, ms) })
}

function signal (process_: MeshProcess, name: NodeJS.Signals): void {
  try {
    process.kill(process_.pid, name)
  } catch (error) {
    // Already gone is what was wanted.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
