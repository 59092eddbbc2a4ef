import t from 'tap'
import { CodedError } from '../../src/core/errors.ts'
import type { FrameStream } from '../../src/mesh/requests.ts'
import type { Mesh } from '../../src/mesh/mesh.ts'
import { soon, startNode, startPair, text } from './nodes.ts'

const PROTOCOL = '/lily/logs/1.0.0'
const LIMITS = { maxBytes: 1000, maxFrameBytes: 100_000, perPeerPerSecond: 100, concurrency: 10, timeoutMs: 5000 }

async function collect (stream: FrameStream): Promise<string[]> {
  const frames: string[] = []
  for await (const frame of stream) frames.push(new TextDecoder().decode(frame))
  return frames
}
const open = async (from: Mesh, to: Mesh, signal = soon()): Promise<FrameStream> => await from.requests.openStream(to.peerId, PROTOCOL, { signal, maxFrameBytes: 100_000 })

for (const [name, start] of [
  ['between two nodes', async (t: Parameters<typeof startPair>[0]) => await startPair(t)],
  ['from a node to itself', async (t: Parameters<typeof startPair>[0]) => { const { mesh } = await startNode(t); return [mesh, mesh] as [Mesh, Mesh] }]
] as const) {
  t.test(`frames keep their bounds and order both ways ${name}`, async (t) => {
    const [a, b] = await start(t)
    a.requests.serveStream(PROTOCOL, LIMITS, async (stream) => {
      for await (const frame of stream) {
        await stream.send(frame)
        await stream.send(new Uint8Array())
      }
      await stream.send(text('bye'))
    })
    const stream = await open(b, a)
    const echoed = collect(stream)
    for (const frame of ['one', '', 'x'.repeat(99_000)]) await stream.send(text(frame))
    await stream.close()
    t.same(await echoed, ['one', '', '', '', 'x'.repeat(99_000), '', 'bye'])
    await t.rejects(stream.send(text('late')), { code: 'MESH_UNREACHABLE' })
  })

  t.test(`the handler's coded error ends the other side's reading ${name}`, async (t) => {
    const [a, b] = await start(t)
    a.requests.serveStream(PROTOCOL, LIMITS, async (stream) => {
      await stream.send(text('first'))
      throw new CodedError('DEAL_UNKNOWN', 'no such deal')
    })
    const frames: string[] = []
    await t.rejects(async () => { for await (const frame of await open(b, a)) frames.push(new TextDecoder().decode(frame)) }, { code: 'DEAL_UNKNOWN', data: { remote: true } })
    t.same(frames, ['first'])
  })

  t.test(`leaving the iteration breaks the stream off on the other side ${name}`, async (t) => {
    const [a, b] = await start(t)
    const { promise: ended, resolve } = Promise.withResolvers<unknown>()
    a.requests.serveStream(PROTOCOL, LIMITS, async (stream, { signal }) => {
      signal.addEventListener('abort', () => { resolve(signal.reason) })
      for (;;) await stream.send(new Uint8Array(10_000))
    })
    for await (const frame of await open(b, a)) { t.equal(frame.byteLength, 10_000); break }
    t.match(await ended, { code: 'MESH_UNREACHABLE' })
  })
}

t.test('a slow reader holds the sender back', async (t) => {
  const [a, b] = await startPair(t)
  let sent = 0
  const { promise: stuck, resolve } = Promise.withResolvers<void>()
  a.requests.serveStream(PROTOCOL, LIMITS, async (stream) => {
    for (let i = 0; i < 400; i++) {
      // Nothing tells that a send is held back. Where the machine is slow this fires early, and fewer frames were sent.
      const timer = setTimeout(resolve, 300)
      await stream.send(new Uint8Array(100_000).fill(i))
      clearTimeout(timer)
      sent++
    }
  })
  const stream = await open(b, a)
  await stuck
  t.ok(sent < 150, `${sent} of 400 frames of 100 kB were sent before one was read`)
  let received = 0
  for await (const frame of stream) {
    if (frame[0] !== received % 256 || frame.byteLength !== 100_000) t.fail(`frame ${received} is not in order`)
    received++
  }
  t.equal(received, 400)
})

t.test('an opener that sends more than may lie unread is refused while the handler is at work, and its place is free again', async (t) => {
  const [a, b] = await startPair(t)
  const reasons: unknown[] = []
  const { promise: asked, resolve: wasAsked } = Promise.withResolvers<void>()
  a.requests.serveStream(PROTOCOL, { ...LIMITS, concurrency: 1, maxUnreadBytes: 1000 }, async (stream, { signal }) => {
    const frames = stream[Symbol.asyncIterator]()
    if (new TextDecoder().decode((await frames.next()).value) === 'once') { await stream.send(text('answer')); return }
    wasAsked()
    await new Promise<void>((resolve) => { signal.addEventListener('abort', () => { reasons.push((signal.reason as CodedError).code); resolve() }) })
  })
  const stream = await open(b, a)
  const answers = collect(stream)
  await stream.send(text('work'))
  await asked
  await stream.send(new Uint8Array(700))
  await stream.send(new Uint8Array(100))
  await t.rejects(answers, { code: 'MESH_PROTOCOL', data: { remote: true } })
  t.same(reasons, ['MESH_PROTOCOL'])
  t.ok((a.peers()[0]?.score ?? 0) < 0)
  const next = await open(b, a)
  const answered = collect(next)
  await next.send(text('once'))
  t.same(await answered, ['answer'])
})

t.test('a frame above the limit is refused by the sender, and by a receiver with a lower limit', async (t) => {
  const [a, b] = await startPair(t)
  a.requests.serveStream(PROTOCOL, { ...LIMITS, maxFrameBytes: 10 }, async (stream) => { for await (const _ of stream) await stream.send(text('got')) })
  const stream = await open(b, a)
  await t.rejects(stream.send(new Uint8Array(100_001)), { code: 'MESH_FRAME_TOO_LARGE' })
  await stream.send(new Uint8Array(11))
  await t.rejects(collect(stream), { code: 'MESH_FRAME_TOO_LARGE', data: { remote: true } })
  t.ok((a.peers()[0]?.score ?? 0) < 0)
})

t.test('a stream lives while frames flow and is given up after a pause', async (t) => {
  const [a, b] = await startPair(t)
  a.requests.serveStream(PROTOCOL, { ...LIMITS, timeoutMs: 150 }, async (stream) => { for await (const frame of stream) await stream.send(frame) })
  const stream = await open(b, a)
  const reader = stream[Symbol.asyncIterator]()
  const startMs = Date.now()
  while (Date.now() - startMs < 400) {
    await stream.send(text('ping'))
    t.same((await reader.next()).value, text('ping'))
    await new Promise((resolve) => setTimeout(resolve, 30))
  }
  await t.rejects(reader.next(), { code: 'MESH_TIMEOUT' })
})

t.test('the signal breaks an open stream off, and a lost connection is not a clean end', async (t) => {
  const [a, b] = await startPair(t)
  a.requests.serveStream(PROTOCOL, LIMITS, async (stream, { signal }) => {
    await stream.send(text('hello'))
    await new Promise<void>((resolve) => { signal.addEventListener('abort', () => { resolve() }) })
  })
  const controller = new AbortController()
  const reader = (await open(b, a, controller.signal))[Symbol.asyncIterator]()
  t.same((await reader.next()).value, text('hello'))
  controller.abort()
  await t.rejects(reader.next(), { code: 'MESH_UNREACHABLE' })

  const second = (await open(b, a))[Symbol.asyncIterator]()
  t.same((await second.next()).value, text('hello'))
  const gone = second.next()
  for (const connection of a.libp2p.getConnections()) connection.abort(new Error('cable pulled'))
  await t.rejects(gone, { code: 'MESH_UNREACHABLE' })
})
