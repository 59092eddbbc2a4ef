import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { MeshOptions } from '../../src/mesh/mesh.ts'
import { NODE_FLAGS } from './node-flags.ts'

/** One line that a process wrote. */
export interface Line { readonly event: string, readonly [key: string]: unknown }

/** `book-process.ts` in a process of its own. */
export interface BookNode {
  readonly pid: number
  readonly peerId: string
  readonly address: string
  /** Records it had before it met anyone. */
  readonly loaded: number
  /** Sends a command and resolves to its answer. Rejects when it failed or the process ended. */
  ask: (command: string) => Promise<Line>
  onLine: (listener: (line: Line) => void) => () => void
  /** Resolves to the next line like this, or one that came before and nobody took. */
  until: (matches: (line: Line) => boolean) => Promise<Line>
  /** Resolves when it is gone. */
  kill: (signal: NodeJS.Signals) => Promise<void>
}

const PROCESS = new URL('./book-process.ts', import.meta.url).pathname
/** A loaded machine takes its time to start a process. */
const PATIENCE_MS = 60_000
/** Lines that nobody took, at most. */
const MAX_KEPT = 5_000

/** Whoever starts it kills it. */
export async function startBookNode (folder: string, key: number, options: Partial<MeshOptions> = {}): Promise<BookNode> {
  const child = spawn(process.execPath, [...NODE_FLAGS, PROCESS, folder, String(key), JSON.stringify(options)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const kept: Line[] = []
  const listeners = new Set<(line: Line) => void>()
  const asked: Array<{ command: string, resolve: (line: Line) => void, reject: (error: Error) => void }> = []
  const ended = Promise.withResolvers<never>()
  ended.promise.catch(() => undefined)
  const gone = new Promise<void>((resolve) => { child.once('close', () => { resolve() }) })
  child.once('close', (code, signal) => {
    const error = new Error(`node ${key} ended with ${String(code ?? signal)}`)
    for (const { reject } of asked.splice(0)) reject(error)
    ended.reject(error)
  })
  // Writing to a process that was just killed.
  child.stdin.on('error', () => undefined)
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = JSON.parse(text) as Line
    const isAnswer = line.event === 'done' || line.event === 'failed'
    const waiting = isAnswer ? asked.shift() : undefined
    if (line.event === 'failed') waiting?.reject(new Error(`node ${key}, ${waiting.command}: ${String(line['code'])} ${String(line['message'])}`))
    else if (waiting !== undefined) waiting.resolve(line)
    if (isAnswer) return
    kept.push(line)
    if (kept.length > MAX_KEPT) kept.shift()
    for (const listener of listeners) listener(line)
  })
  const onLine: BookNode['onLine'] = (listener) => {
    listeners.add(listener)
    return () => { listeners.delete(listener) }
  }
  const until: BookNode['until'] = async (matches) => {
    const { promise, resolve, reject } = Promise.withResolvers<Line>()
    const late = setTimeout(() => { reject(new Error(`node ${key}: not seen; last: ${JSON.stringify(kept.at(-1))}`)) }, PATIENCE_MS)
    const look = (): void => {
      const found = kept.find(matches)
      if (found === undefined) return
      kept.splice(kept.indexOf(found), 1)
      resolve(found)
    }
    const stop = onLine(look)
    look()
    try {
      return await Promise.race([promise, ended.promise])
    } finally {
      stop()
      clearTimeout(late)
    }
  }
  const kill: BookNode['kill'] = async (signal) => {
    child.kill(signal)
    await gone
  }
  try {
    const ready = await until(({ event }) => event === 'ready')
    return {
      pid: child.pid ?? 0, peerId: String(ready['peerId']), address: String(ready['address']), loaded: Number(ready['loaded']), onLine, until, kill,
      ask: async (command) => await new Promise((resolve, reject) => {
        if (child.exitCode !== null || child.signalCode !== null) reject(new Error(`node ${key} has ended`))
        asked.push({ command, resolve, reject })
        child.stdin.write(`${command}\n`)
      })
    }
  } catch (error) {
    await kill('SIGKILL')
    throw error
  }
}
