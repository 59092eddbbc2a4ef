import { Socket } from 'node:net'
import t from 'tap'
import { soon, startPair } from './nodes.ts'

interface Writes { _write: (...args: unknown[]) => void, _writev: (chunks: unknown[], callback: unknown) => void }

t.test('what one turn sends over a connection leaves in one system call', async (t) => {
  const [a, b] = await startPair(t)
  a.requests.serve('/lily/test/echo/1', { maxBytes: 1 << 20, perPeerPerSecond: 100, concurrency: 10, timeoutMs: 5000 }, async (payload) => await Promise.resolve(payload))
  const sockets = Socket.prototype as unknown as Writes
  const { _write, _writev } = sockets
  t.teardown(() => { Object.assign(sockets, { _write, _writev }) })
  let calls = 0
  let buffers = 0
  sockets._write = function (...args) { calls++; buffers++; _write.apply(this, args) }
  sockets._writev = function (chunks, callback) { calls++; buffers += chunks.length; _writev.call(this, chunks, callback) }
  const payload = new Uint8Array(300_000).fill(7)
  t.same(await b.requests.request(a.peerId, '/lily/test/echo/1', payload, { maxBytes: 1 << 20, signal: soon() }), payload)
  t.ok(buffers >= 20, `${buffers} buffers were sent`)
  t.ok(calls * 3 <= buffers, `${calls} calls for ${buffers} buffers`)
})
