import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'

type Line = Record<string, unknown> & { peerId?: string, addresses?: string[], cid?: string, peers?: string[], found?: string[], tree?: Record<string, string>, lingeredMs?: number }
interface Peer { child: ChildProcess, id: string, addresses: string[], cid: string, tell: (command: object) => void, until: (met: (line: Line) => boolean) => Promise<Line> }

/** A node in its own process, held to loopback; killed when the test ends, should it still run. */
async function startPeer (t: Test, options: { bootstrap?: string[], files?: Record<string, string>, folder?: string } = {}): Promise<Peer> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'lily-peer-'))
  const log = join(folder, 'outside.log')
  const hook = join(import.meta.dirname, '../support/loopback.mjs')
  const child = spawn(process.execPath, [join(import.meta.dirname, 'peer-process.ts'), JSON.stringify({ ...options, folder })], { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, NODE_OPTIONS: `--import=${hook}`, LILY_LOOPBACK_LOG: log } })
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
    const watch = (): void => {
      const found = seen.findLast(met)
      if (found === undefined) return
      watchers.delete(watch)
      resolve(found)
    }
    watchers.add(watch)
    child.once('close', (code) => { reject(new Error(`the node ended with ${String(code)}`)) })
    watch()
  })
  const ready = await until((line) => line.peerId !== undefined)
  return { child, id: ready.peerId ?? '', addresses: ready.addresses ?? [], cid: ready.cid ?? '', until, tell: (command) => { child.stdin?.write(JSON.stringify(command) + '\n') } }
}
/** Ends a node the polite way; resolves to its exit code. */
async function end (peer: Peer): Promise<number | null> {
  peer.child.stdin?.end()
  if (peer.child.exitCode === null) await once(peer.child, 'close')
  return peer.child.exitCode
}

t.test('processes discover each other, exchange content, and outlive their bootstrap node', async (t) => {
  const bootstrap = await startPeer(t)
  const [a, b] = await Promise.all([
    startPeer(t, { bootstrap: bootstrap.addresses, files: { 'out/stdout': 'hello', log: 'x'.repeat(5000) } }),
    startPeer(t, { bootstrap: bootstrap.addresses })
  ])
  await Promise.all([a.until((line) => line.peers?.includes(b.id) === true), b.until((line) => line.peers?.includes(a.id) === true)])

  bootstrap.child.kill('SIGKILL')
  await Promise.all([a, b].map(async (peer) => await peer.until((line) => line.peers?.length === 1 && !line.peers.includes(bootstrap.id))))

  a.tell({ announce: ['provider'] })
  b.tell({ find: 'provider' })
  t.same((await b.until((line) => line.found !== undefined)).found, [a.id])
  b.tell({ tree: a.cid, from: [a.id] })
  t.same((await b.until((line) => line.tree !== undefined)).tree, { log: 'x'.repeat(5000), 'out/stdout': 'hello' })

  const last = Promise.all([a, b].map(async (peer) => await peer.until((line) => line.lingeredMs !== undefined)))
  t.same(await Promise.all([end(a), end(b)]), [0, 0], 'stopped nodes exit by themselves')
  for (const { lingeredMs } of await last) t.ok(Number(lingeredMs) < 500, `nothing was left open: ${String(lingeredMs)} ms`)
})

t.test('a killed process leaves a folder that starts again with the same peer id and content', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'lily-peer-'))
  const first = await startPeer(t, { folder, files: { a: 'kept' } })
  first.child.kill('SIGKILL')
  await once(first.child, 'exit')
  const again = await startPeer(t, { folder })
  t.equal(again.id, first.id)
  const other = await startPeer(t, { bootstrap: again.addresses })
  other.tell({ tree: first.cid, from: [again.id] })
  t.same((await other.until((line) => line.tree !== undefined)).tree, { a: 'kept' })
})
