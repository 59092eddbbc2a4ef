import { fork, type ChildProcess } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** A process of a benchmark: a script of bench/ that answers commands (`commands.ts`). It cannot connect anywhere but to this machine. */
export interface Child {
  readonly pid: number
  /** Rejects with what the command threw, or when the process ends first. */
  ask: <T>(command: string, argument?: unknown) => Promise<T>
}

/** Starts processes that end together. */
export interface Children {
  /** `script` relative to bench/, `flags` for Node. Resolves when it takes commands. */
  start: (script: string, options?: { profile?: string, flags?: readonly string[] }) => Promise<Child>
  /** Ends all of them. Throws when one tried to reach another machine: then the figures mean nothing. */
  stop: () => Promise<void>
}

/** Polite before it is forceful: a process writes its profile when it ends by itself. */
const GRACE_MS = 15_000
const LOOPBACK = pathToFileURL(fileURLToPath(new URL('../test/support/loopback.mjs', import.meta.url))).href

interface Answer { id: number, value?: unknown, error?: string }

/** @param folder - where attempts to leave the machine are noted. */
export function createChildren (folder: string): Children {
  const log = join(folder, 'outside.log')
  const all: ChildProcess[] = []
  return {
    start: async (script, options = {}) => {
      const profile = options.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${options.profile}`]
      const child = fork(fileURLToPath(new URL(script, import.meta.url)), [], {
        execArgv: [`--import=${LOOPBACK}`, ...options.flags ?? [], ...profile], serialization: 'advanced', env: { ...process.env, LILY_LOOPBACK_LOG: log }
      })
      all.push(child)
      return await talkTo(child, script)
    },
    stop: async () => {
      await Promise.all(all.splice(0).map(end))
      const outside = existsSync(log) ? readFileSync(log, 'utf8') : ''
      if (outside !== '') throw new Error(`something outside was contacted: ${outside}`)
    }
  }
}

async function talkTo (child: ChildProcess, script: string): Promise<Child> {
  const open = new Map<number, { resolve: (value: unknown) => void, reject: (error: Error) => void }>()
  const ready = Promise.withResolvers<void>()
  let next = 1
  child.on('message', (message: 'ready' | Answer) => {
    if (message === 'ready') { ready.resolve(); return }
    const asked = open.get(message.id)
    open.delete(message.id)
    if (message.error === undefined) asked?.resolve(message.value)
    else asked?.reject(new Error(`${script}: ${message.error}`))
  })
  child.once('exit', (code, signal) => {
    const error = new Error(`${script} ended with ${signal ?? String(code)}`)
    ready.reject(error)
    for (const asked of open.values()) asked.reject(error)
    open.clear()
  })
  await ready.promise
  return {
    pid: child.pid ?? 0,
    ask: async <T>(command: string, argument?: unknown) => await new Promise<T>((resolve, reject) => {
      const id = next++
      open.set(id, { resolve: resolve as (value: unknown) => void, reject })
      child.send({ id, command, argument }, (error) => { if (error !== null) reject(error) })
    })
  }
}

async function end (child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise<void>((resolve) => { child.once('exit', () => { resolve() }) })
  if (child.connected) child.disconnect()
  const late = setTimeout(() => { child.kill('SIGKILL') }, GRACE_MS)
  await gone
  clearTimeout(late)
}
