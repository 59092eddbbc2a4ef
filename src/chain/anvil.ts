import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { arch, platform } from 'node:process'
import type { Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { errorMessage } from '../core/errors.ts'
import { ChainError } from './errors.ts'
import { createJsonRpc, type JsonRpc } from './json-rpc.ts'

/** A running anvil process that answers. */
export interface Anvil {
  readonly pid: number
  readonly rpc: JsonRpc
  /** Resolves when the process has ended, whatever ended it. */
  readonly ended: Promise<void>
  /** Ends the process (SIGTERM, SIGKILL after 3 s) and waits for it. */
  stop: () => Promise<void>
}

export interface AnvilOptions { port: number, chainId: number, cachePath: string, statePath?: string }

/** A warm start takes 45 ms; loading a history of 6,000 transactions 224 ms. */
const READY_TIMEOUT_MS = 20_000
const READY_POLL_MS = 5
const TERM_GRACE_MS = 3000
/**
 * Hands over to anvil and leaves a watcher that waits for a line on descriptor 3, whose other end only this process holds.
 * A line means "anvil ended by itself"; end of file means that we died, even by SIGKILL, and anvil must not live on.
 */
const GUARD = '(read line <&3 || kill -KILL $$) </dev/null >/dev/null 2>&1 & exec "$0" "$@" 3<&-'

/** The anvil binary of this platform's npm package, else `anvil` for the PATH to resolve. */
export function locateAnvil (): string {
  const name = `@foundry-rs/anvil-${platform}-${arch === 'x64' ? 'amd64' : arch}`
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'bin', platform === 'win32' ? 'anvil.exe' : 'anvil')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return 'anvil'
    throw error
  }
}

/** Starts anvil and waits for its first answer. Throws ChainError CHAIN_NO_ANVIL, CHAIN_PORT_IN_USE or CHAIN_ANVIL_FAILED. */
export async function startAnvil (options: AnvilOptions, binary = locateAnvil()): Promise<Anvil> {
  await reservePort(options.port)
  const child = platform === 'win32'
    ? spawn(binary, anvilArguments(options), { stdio: ['ignore', 'ignore', 'pipe'] })
    : spawn('/bin/sh', ['-c', GUARD, binary, ...anvilArguments(options)], { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] })
  const ended = watchEnd(child)
  let complaint = ''
  child.stderr?.on('data', (chunk: Buffer) => { complaint = (complaint + chunk.toString('utf8')).slice(-2000) })
  const rpc = createJsonRpc({ port: options.port })
  const stop = async (): Promise<void> => { await endProcess(child, ended); rpc.close() }
  if (child.pid === undefined) await once(child, 'spawn').catch((error: unknown) => { throw missingAnvil(binary, error) })
  if (!await isReady(child, rpc, options.chainId)) {
    await stop()
    if (/not found|No such file/i.test(complaint) || child.exitCode === 127) throw missingAnvil(binary, complaint)
    if (/address already in use/i.test(complaint)) throw portInUse(options.port)
    throw new ChainError('CHAIN_ANVIL_FAILED', `anvil did not start: ${complaint.trim() || `exit ${child.exitCode}`}`, { data: { exitCode: child.exitCode, complaint } })
  }
  return { pid: child.pid as number, rpc, ended, stop }
}

function anvilArguments (options: AnvilOptions): string[] {
  return [
    '--no-mining', '--prune-history', '64', '--no-cors', '--accounts', '0', '--silent', '--host', '127.0.0.1',
    '--port', String(options.port), '--chain-id', String(options.chainId), '--cache-path', options.cachePath,
    ...(options.statePath === undefined ? [] : ['--load-state', options.statePath])
  ]
}

/** `port` when it is free on 127.0.0.1, some free port when it is 0. Throws ChainError CHAIN_PORT_IN_USE. */
export async function reservePort (port: number): Promise<number> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  } catch (error) {
    throw portInUse(port, error)
  }
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : port
}

async function isReady (child: ChildProcess, rpc: JsonRpc, chainId: number): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < READY_TIMEOUT_MS && child.exitCode === null && child.signalCode === null; waitedMs += READY_POLL_MS) {
    const answer = await rpc.call('eth_chainId').catch((error: unknown) => errorMessage(error))
    if (answer === `0x${chainId.toString(16)}`) return true
    await delay(READY_POLL_MS)
  }
  return false
}

function watchEnd (child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    const onEnd = (): void => {
      const guard = child.stdio[3] as Writable | null | undefined
      guard?.on('error', () => { guard.destroy() })
      guard?.end('\n')
      resolve()
    }
    child.once('exit', onEnd)
    child.once('error', onEnd)
  })
}

async function endProcess (child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
    child.kill('SIGTERM')
    const killer = setTimeout(() => { child.kill('SIGKILL') }, TERM_GRACE_MS)
    await ended
    clearTimeout(killer)
  }
}

function missingAnvil (binary: string, cause: unknown): ChainError {
  return new ChainError('CHAIN_NO_ANVIL', `cannot run anvil (${binary})`, { data: { binary }, cause, hint: 'Run "npm ci" on linux x64, or install Foundry so that "anvil" is on the PATH.' })
}

function portInUse (port: number, cause?: unknown): ChainError {
  return new ChainError('CHAIN_PORT_IN_USE', `port ${port} of 127.0.0.1 is taken`, { data: { port }, cause, hint: 'Stop what listens there, or choose another port.' })
}
