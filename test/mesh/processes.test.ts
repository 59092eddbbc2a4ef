import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { end, startPeer } from './peer.ts'

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
