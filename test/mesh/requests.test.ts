import t from 'tap'
import { CodedError } from '../../src/core/errors.ts'
import { soon, startNode, startPair, text } from './nodes.ts'

const PROTOCOL = '/lily/test/1.0.0'
const LIMITS = { maxBytes: 1000, perPeerPerSecond: 100, concurrency: 10, timeoutMs: 5000 }

t.test('a request is answered, whichever side dialled, also when empty or large', async (t) => {
  const [a, b] = await startPair(t)
  for (const mesh of [a, b]) mesh.requests.serve(PROTOCOL, { ...LIMITS, maxBytes: 2e6 }, async (payload, { peer }) => new Uint8Array([...text(peer.slice(-4)), ...payload]))
  for (const [from, to] of [[a, b], [b, a]] as const) {
    for (const size of [0, 1, 1.5e6]) {
      const answer = await from.requests.request(to.peerId, PROTOCOL, new Uint8Array(size).fill(7), { signal: soon(), maxBytes: 2e6 })
      t.same([answer.byteLength, new TextDecoder().decode(answer.subarray(0, 4)), answer.at(-1)], [size + 4, from.peerId.slice(-4), size === 0 ? text(from.peerId).at(-1) : 7])
    }
  }
})

t.test('the code of a coded error crosses; nothing of any other does', async (t) => {
  const [a, b] = await startPair(t)
  a.requests.serve(PROTOCOL, LIMITS, async (payload) => {
    if (payload.byteLength > 0) throw new CodedError('DEAL_EXPIRED', 'the offer is over', { data: { secret: 1 } })
    throw new Error('/home/me/secret.key not found')
  })
  const coded = await b.requests.request(a.peerId, PROTOCOL, text('x'), { signal: soon(), maxBytes: 10 }).catch((error: unknown) => error)
  t.match(coded, { name: 'RequestError', code: 'DEAL_EXPIRED', message: 'the offer is over', data: { remote: true } })
  t.notMatch(JSON.stringify(coded), 'secret')
  const other = await b.requests.request(a.peerId, PROTOCOL, text(''), { signal: soon(), maxBytes: 10 }).catch((error: unknown) => error)
  t.match(other, { code: 'INTERNAL', data: { remote: true } })
  t.notMatch(String(other), 'secret')
})

t.test('sizes are held on both sides', async (t) => {
  const [a, b] = await startPair(t)
  let handled = 0
  a.requests.serve(PROTOCOL, LIMITS, async () => { handled++; return new Uint8Array(5000) })
  await t.rejects(b.requests.request(a.peerId, PROTOCOL, new Uint8Array(1001), { signal: soon(), maxBytes: 10 }), { code: 'MESH_REQUEST_TOO_LARGE', data: { remote: true } })
  await t.rejects(b.requests.request(a.peerId, PROTOCOL, new Uint8Array(20e6), { signal: soon(), maxBytes: 10 }), { code: 'MESH_REQUEST_TOO_LARGE' })
  t.equal(handled, 0)
  await t.rejects(b.requests.request(a.peerId, PROTOCOL, new Uint8Array(1000), { signal: soon(), maxBytes: 4999 }), { code: 'MESH_RESPONSE_TOO_LARGE' })
  t.equal((await b.requests.request(a.peerId, PROTOCOL, new Uint8Array(1000), { signal: soon(), maxBytes: 5000 })).byteLength, 5000)
})

t.test('a frame that claims to be too long is refused before it is received', async (t) => {
  const [a, b] = await startPair(t)
  a.requests.serve(PROTOCOL, LIMITS, async () => text('never'))
  for (const [header, code] of [[[0, 0, 0x13, 0x88, 0], 'MESH_REQUEST_TOO_LARGE'], [[0, 0, 0, 0, 0], 'MESH_PROTOCOL'], [[0, 0, 0, 1, 9], 'MESH_PROTOCOL']] as const) {
    const stream = await b.libp2p.dialProtocol(a.libp2p.peerId, PROTOCOL)
    stream.send(Uint8Array.from(header))
    const answer = await new Promise<string>((resolve) => { stream.addEventListener('message', (event) => { resolve(new TextDecoder().decode(event.data.subarray())) }, { once: true }) })
    t.match(answer, code)
  }
})

t.test('a second frame behind a request is refused while the first is at work', async (t) => {
  const [a, b] = await startPair(t)
  const { promise: given, resolve } = Promise.withResolvers<unknown>()
  const { promise: asked, resolve: wasAsked } = Promise.withResolvers<void>()
  a.requests.serve(PROTOCOL, LIMITS, async (_, { signal }) => {
    wasAsked()
    return await new Promise<Uint8Array>((_, reject) => { signal.addEventListener('abort', () => { resolve(signal.reason); reject(signal.reason as Error) }) })
  })
  const stream = await b.libp2p.dialProtocol(a.libp2p.peerId, PROTOCOL)
  const answer = new Promise<string>((resolve) => { stream.addEventListener('message', (event) => { resolve(new TextDecoder().decode(event.data.subarray())) }, { once: true }) })
  stream.send(Uint8Array.from([0, 0, 0, 2, 0, 7]))
  await asked
  stream.send(Uint8Array.from([0, 0, 0, 1, 0]))
  t.match(await given, { code: 'MESH_PROTOCOL' })
  t.match(await answer, 'MESH_PROTOCOL')
  t.ok((a.peers()[0]?.score ?? 0) < 0)
})

t.test('a peer above its rate is refused and loses score; more at once than allowed are refused', async (t) => {
  const [a, b] = await startPair(t)
  a.requests.serve(PROTOCOL, { ...LIMITS, perPeerPerSecond: 2 }, async () => text('ok'))
  const ask = async (protocol: string): Promise<string> => await b.requests.request(a.peerId, protocol, text(''), { signal: soon(), maxBytes: 10 }).then((bytes) => new TextDecoder().decode(bytes), (error: { code: string }) => error.code)
  const answers = await Promise.all(Array.from({ length: 10 }, async () => await ask(PROTOCOL)))
  t.equal(answers.filter((answer) => answer === 'ok').length, 2)
  t.equal(answers.filter((answer) => answer === 'MESH_RATE_LIMITED').length, 8)
  t.ok((a.peers()[0]?.score ?? 0) <= -39)

  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  // Half of the places are for one peer.
  a.requests.serve('/lily/busy/1.0.0', { ...LIMITS, concurrency: 4 }, async () => { await gate; return text('ok') })
  const busy = Array.from({ length: 5 }, async () => await ask('/lily/busy/1.0.0'))
  let refused = 0
  for (const answer of busy) void answer.then((code) => { if (code === 'MESH_BUSY' && ++refused === 3) open() })
  t.same((await Promise.all(busy)).sort(), ['MESH_BUSY', 'MESH_BUSY', 'MESH_BUSY', 'ok', 'ok'])
})

t.test('a handler that takes too long is given up on both sides', async (t) => {
  const [a, b] = await startPair(t)
  const { promise: aborted, resolve } = Promise.withResolvers<string>()
  // The time counts from the stream's opening: it must not be over before a loaded machine has read the request.
  a.requests.serve(PROTOCOL, { ...LIMITS, timeoutMs: 1500 }, async (_payload, { signal }) => await new Promise(() => { signal.addEventListener('abort', () => { resolve((signal.reason as { code: string }).code) }) }))
  await t.rejects(b.requests.request(a.peerId, PROTOCOL, text(''), { signal: soon(), maxBytes: 10 }), { code: 'MESH_TIMEOUT', data: { remote: true } })
  t.equal(await aborted, 'MESH_TIMEOUT')
})

t.test('the asker\'s signal ends the exchange at once, and the handler hears of it', async (t) => {
  const [a, b] = await startPair(t)
  const { promise: aborted, resolve } = Promise.withResolvers<void>()
  const controller = new AbortController()
  a.requests.serve(PROTOCOL, LIMITS, async (_payload, { signal }) => {
    signal.addEventListener('abort', () => { resolve() })
    controller.abort(new Error('changed my mind'))
    return await new Promise(() => undefined)
  })
  await t.rejects(b.requests.request(a.peerId, PROTOCOL, text(''), { signal: controller.signal, maxBytes: 10 }), { code: 'MESH_TIMEOUT', cause: { message: 'changed my mind' } })
  await aborted
  await t.rejects(b.requests.request(a.peerId, PROTOCOL, text(''), { signal: controller.signal, maxBytes: 10 }), { code: 'MESH_TIMEOUT' })
})

t.test('unknown peers, unserved protocols and vanished peers are told apart', async (t) => {
  const [a, b] = await startPair(t)
  await t.rejects(b.requests.request(a.peerId, '/lily/none/1.0.0', text(''), { signal: soon(), maxBytes: 10 }), { code: 'MESH_PROTOCOL' })
  await t.rejects(b.requests.request('not a peer id', PROTOCOL, text(''), { signal: soon(), maxBytes: 10 }), { code: 'MESH_UNREACHABLE' })
  a.requests.serve(PROTOCOL, LIMITS, async () => { void a.stop(); return await new Promise(() => undefined) })
  await t.rejects(b.requests.request(a.peerId, PROTOCOL, text(''), { signal: soon(), maxBytes: 10 }), { code: /^MESH_(UNREACHABLE|STOPPED)$/ })
})

t.test('a protocol has one handler, which can be taken away and may be set up before start', async (t) => {
  const node = await startNode(t)
  await node.mesh.stop()
  const remove = node.mesh.requests.serve(PROTOCOL, LIMITS, async () => text('old'))
  t.throws(() => node.mesh.requests.serve(PROTOCOL, LIMITS, async () => text('')), { code: 'MESH_PROTOCOL_TAKEN' })
  await node.mesh.start()
  const { mesh: other } = await startNode(t)
  const address = node.mesh.addresses()[0] ?? ''
  await other.connect(address, { signal: soon() })
  const ask = async (): Promise<string> => new TextDecoder().decode(await other.requests.request(node.mesh.peerId, PROTOCOL, text(''), { signal: soon(), maxBytes: 10 }))
  t.equal(await ask(), 'old')
  remove()
  remove()
  await t.rejects(ask(), { code: 'MESH_PROTOCOL' })
  node.mesh.requests.serve(PROTOCOL, LIMITS, async () => text('new'))
  t.equal(await ask(), 'new')
})

t.test('a node asks itself without a socket, under the same limits', async (t) => {
  const { mesh } = await startNode(t)
  const ask = async (payload: Uint8Array): Promise<Uint8Array> => await mesh.requests.request(mesh.peerId, PROTOCOL, payload, { signal: soon(), maxBytes: 10 })
  await t.rejects(ask(text('')), { code: 'MESH_PROTOCOL' })
  mesh.requests.serve(PROTOCOL, LIMITS, async (payload, { peer }) => {
    t.equal(peer, mesh.peerId)
    if (payload.byteLength === 1) throw new CodedError('DEAL_EXPIRED', 'over')
    return payload
  })
  t.same(await ask(text('hi')), text('hi'))
  await t.rejects(ask(text('x')), { code: 'DEAL_EXPIRED', data: { remote: true } })
  await t.rejects(ask(new Uint8Array(1001)), { code: 'MESH_REQUEST_TOO_LARGE' })
  await t.rejects(ask(new Uint8Array(11)), { code: 'MESH_RESPONSE_TOO_LARGE' })
})
