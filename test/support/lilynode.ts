import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'

const BINARY = fileURLToPath(new URL('../../bin/lilynode', import.meta.url))
const HOOK = fileURLToPath(new URL('./loopback.mjs', import.meta.url))

/** How a command ended. `json` reads stdout, `error` the error document on stderr. */
export interface CommandResult {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
  json: <T>() => T
  error: () => { code: string, message: string, hint: string, data: Record<string, unknown> }
}

/** A command that still runs. */
export interface RunningCommand {
  child: ChildProcess
  /** Output so far. */
  stdout: () => string
  stderr: () => string
  /** Resolves when stdout or stderr contains the text; rejects when the command ended without it. */
  says: (text: string) => Promise<void>
  ended: Promise<CommandResult>
}

/**
 * A folder with an environment in which every process, children and grandchildren included, has the loopback hook, and more where they are named.
 * The hooks lie in the folder itself, so that each of those processes carries the folder's name.
 */
export interface Sandbox {
  readonly root: string
  readonly env: Readonly<Record<string, string>>
  start: (args: readonly string[], options?: { env?: Record<string, string> }) => RunningCommand
  run: (args: readonly string[], options?: { env?: Record<string, string> }) => Promise<CommandResult>
  /** Connections anywhere but to this machine, as the hook logged them. */
  strays: () => Promise<string>
  /** Ends what still runs of it, without asking, and removes the folder. */
  close: () => Promise<void>
}

export async function openSandbox (name: string, moreHooks: readonly string[] = []): Promise<Sandbox> {
  const root = await mkdtemp(join(tmpdir(), `lily-${name}-`))
  const hooks = [HOOK, ...moreHooks].map((from) => ({ from, to: join(root, basename(from)) }))
  const home = join(root, 'home')
  await Promise.all([...hooks.map(async ({ from, to }) => { await copyFile(from, to) }), mkdir(home), mkdir(join(root, 'tmp'))])
  const log = join(root, 'loopback.log')
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, TMPDIR: join(root, 'tmp'), NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'), NODE_OPTIONS: hooks.map(({ to }) => `--import=${pathToFileURL(to).href}`).join(' '), LILY_LOOPBACK_LOG: log }
  // A test that throws or is stopped, as tap does with SIGALRM after its time-out, leaves nothing behind either.
  const onExit = (): void => {
    for (const id of processesOf(root)) kill(id)
    rmSync(root, { recursive: true, force: true, maxRetries: 5 })
  }
  process.once('exit', onExit)
  for (const signal of ['SIGTERM', 'SIGALRM'] as const) process.once(signal, () => { process.exit(1) })
  const start: Sandbox['start'] = (args, options = {}) => startCommand(args, { ...env, ...options.env })
  return {
    root,
    env,
    start,
    run: async (args, options) => await start(args, options).ended,
    strays: async () => await readFile(log, 'utf8').catch(() => ''),
    close: async () => {
      process.off('exit', onExit)
      await killAll(root)
      await rm(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    }
  }
}

function startCommand (args: readonly string[], env: Record<string, string>): RunningCommand {
  const child = spawn(process.execPath, [BINARY, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => { stdout += chunk.toString('utf8') })
  child.stderr.on('data', (chunk: Buffer) => { stderr += chunk.toString('utf8') })
  const ended = once(child, 'close').then(([code, signal]): CommandResult => ({
    code: code as number | null, signal: signal as NodeJS.Signals | null, stdout, stderr,
    json: <T>() => parse(stdout, `lilynode ${args.join(' ')} (exit ${String(code)}): ${stderr}`) as T,
    // Nodes log before it.
    error: () => (parse(stderr.trimEnd().split('\n').at(-1) ?? '', `lilynode ${args.join(' ')} (exit ${String(code)})`) as { error: ReturnType<CommandResult['error']> }).error
  }))
  return {
    child,
    ended,
    stdout: () => stdout,
    stderr: () => stderr,
    says: async (text) => {
      let isOver = false
      void ended.then(() => { isOver = true })
      while (!stdout.includes(text) && !stderr.includes(text)) {
        if (isOver) throw new Error(`lilynode ${args.join(' ')} ended without saying "${text}":\n${stdout}\n${stderr}`)
        await delay(20)
      }
    }
  }
}

function parse (text: string, context: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`no JSON from ${context}:\n${text}`, { cause: error })
  }
}

/** Processes other than this one that name the text in their command line or environment: ids, zombies left out. */
export function processesOf (text: string): number[] {
  const read = (id: number, name: string): string => {
    try {
      return readFileSync(`/proc/${id}/${name}`, 'latin1')
    } catch {
      // It ended meanwhile.
      return ''
    }
  }
  return readdirSync('/proc').map(Number).filter((id) => id > 0 && id !== process.pid && (read(id, 'cmdline').includes(text) || read(id, 'environ').includes(text)))
}

/** SIGKILL to every process of a sandbox; resolves when they are gone. */
export async function killAll (text: string): Promise<void> {
  for (let ids = processesOf(text); ids.length > 0; ids = processesOf(text)) {
    for (const id of ids) kill(id)
    await delay(20)
  }
}

/** SIGKILL; a process that is gone already is what was wanted. */
export function kill (id: number): void {
  try {
    process.kill(id, 'SIGKILL')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

/** Looks until there is a value that is neither undefined nor false; the limit is tap's own. */
export async function until<T> (look: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> {
  for (;;) {
    const value = await look()
    if (value !== undefined && value !== false) return value
    await delay(50)
  }
}
