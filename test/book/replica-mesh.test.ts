import t from 'tap'
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

interface Line { event: string, [key: string]: unknown }
interface Node { process: ChildProcess, send: (command: string) => void, until: (matches: (line: Line) => boolean) => Promise<Line>, kill: (signal: NodeJS.Signals) => Promise<void> }

/** A node in a process of its own; killed when the test ends. */
async function startNode (test: { teardown: (stop: () => Promise<void>) => void }, folder: string, key: number): Promise<Node & { ready: Line }> {
  const child = spawn(process.execPath, [new URL('../support/book-process.ts', import.meta.url).pathname, folder, String(key)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines: Line[] = []
  const waiting = new Set<() => void>()
  createInterface({ input: child.stdout }).on('line', (text) => {
    lines.push(JSON.parse(text) as Line)
    for (const wake of waiting) wake()
  })
  const exited = new Promise<void>((resolve) => { child.once('exit', () => { resolve() }) })
  const kill = async (signal: NodeJS.Signals): Promise<void> => { child.kill(signal); await exited }
  test.teardown(async () => { await kill('SIGKILL') })
  const until: Node['until'] = async (matches) => {
    const late = AbortSignal.timeout(20_000)
    return await new Promise((resolve, reject) => {
      const look = (): void => {
        const found = lines.find(matches)
        if (found === undefined) return
        waiting.delete(look)
        lines.splice(lines.indexOf(found), 1)
        resolve(found)
      }
      late.addEventListener('abort', () => { reject(new Error(`not seen; last: ${JSON.stringify(lines.at(-1))}`)) })
      waiting.add(look)
      look()
    })
  }
  const ready = await until(({ event }) => event === 'ready')
  return { process: child, ready, until, kill, send: (command) => { child.stdin.write(`${command}\n`) } }
}
const idsOf = async (node: Node): Promise<string[]> => {
  node.send('ids')
  return (await node.until(({ event }) => event === 'ids'))['ids'] as string[]
}
const whenSize = (size: number) => (line: Line): boolean => line.event === 'change' && (line['size'] as number) >= size

t.test('two processes: a late joiner gets all, gossip brings the new, kill -9 loses nothing that was published', async (t) => {
  const folders = [0, 1].map(() => mkdtempSync(join(tmpdir(), 'lily-book-')))
  t.teardown(() => { for (const folder of folders) rmSync(folder, { recursive: true, force: true }) })
  const [folderA = '', folderB = ''] = folders
  const a = await startNode(t, folderA, 1)
  a.send('publish 300')
  await a.until(({ event, name }) => event === 'done' && name === 'publish')

  const b = await startNode(t, folderB, 2)
  t.equal(b.ready['loaded'], 0)
  b.send(`connect ${String(a.ready['address'])}`)
  await b.until(whenSize(300))
  t.strictSame(await idsOf(b), await idsOf(a), 'the late joiner has every record')

  b.send('publish 1')
  await a.until(whenSize(301))
  t.strictSame(await idsOf(a), await idsOf(b), 'and what it publishes arrives')

  await a.kill('SIGKILL')
  const again = await startNode(t, folderA, 1)
  t.ok(Number(again.ready['loaded']) >= 300, 'every own record was loaded before it met anyone')
  again.send(`connect ${String(b.ready['address'])}`)
  again.send('publish 1')
  await b.until(whenSize(302))
  for (let size = Number(again.ready['loaded']); size < 302; size++) await again.until(whenSize(size + 1))
  t.strictSame(await idsOf(again), await idsOf(b))
  again.send('stop')
  await again.until(({ event }) => event === 'stopped')
})
