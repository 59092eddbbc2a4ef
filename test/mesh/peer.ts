import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import type { MeshOptions, ReachabilityView } from '../../src/mesh/mesh.ts'

export type Line = Record<string, unknown> & { peerId?: string, reachability?: ReachabilityView, addresses?: string[], cid?: string, peers?: string[], found?: string[], tree?: Record<string, string>, lingeredMs?: number }
export interface Peer { child: ChildProcess, id: string, addresses: string[], cid: string, tell: (command: object) => void, until: (met: (line: Line) => boolean) => Promise<Line> }

/**
 * A node in its own process, held to loopback; killed when the test ends, should it still run. In a network namespace
 * the kernel holds it instead: there is no way out of one.
 */
export async function startPeer (t: Test, { namespace, ...options }: Partial<MeshOptions> & { files?: Record<string, string>, folder?: string, namespace?: string } = {}): Promise<Peer> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'lily-peer-'))
  const log = join(folder, 'outside.log')
  const hook = join(import.meta.dirname, '../support/loopback.mjs')
  // The test runner gives every child its own options back, the hook among them, so the shell takes them away.
  const [command = '', ...args] = [...(namespace === undefined ? [] : ['ip', 'netns', 'exec', namespace, 'env', '--unset=NODE_OPTIONS']), process.execPath, join(import.meta.dirname, 'peer-process.ts'), JSON.stringify({ ...options, folder })]
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, NODE_OPTIONS: namespace === undefined ? `--import=${hook}` : '', LILY_LOOPBACK_LOG: log } })
  t.teardown(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    const outside = existsSync(log) ? readFileSync(log, 'utf8') : ''
    rmSync(folder, { recursive: true, force: true })
    if (outside !== '') throw new Error(`something outside was contacted: ${outside}`)
  })
  const seen: Line[] = []
  const watchers = new Set<() => void>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    seen.push(JSON.parse(line) as Line)
    for (const watch of watchers) watch()
  })
  const until = async (met: (line: Line) => boolean): Promise<Line> => await new Promise((resolve, reject) => {
    const onClose = (code: number | null): void => { reject(new Error(`the node ended with ${String(code)}`)) }
    const watch = (): void => {
      const found = seen.findLast(met)
      if (found === undefined) return
      watchers.delete(watch)
      child.off('close', onClose)
      resolve(found)
    }
    watchers.add(watch)
    child.once('close', onClose)
    watch()
  })
  const ready = await until((line) => line.peerId !== undefined)
  return { child, id: ready.peerId ?? '', addresses: ready.addresses ?? [], cid: ready.cid ?? '', until, tell: (command) => { child.stdin?.write(JSON.stringify(command) + '\n') } }
}

/** Ends a node the polite way; resolves to its exit code. */
export async function end (peer: Peer): Promise<number | null> {
  peer.child.stdin?.end()
  if (peer.child.exitCode === null) await once(peer.child, 'close')
  return peer.child.exitCode
}
