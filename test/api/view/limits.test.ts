import { once } from 'node:events'
import t from 'tap'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { signRecord, testSigner } from '../../support/records.ts'
import { until } from '../../support/lilynode.ts'
import { closeOf, openSocket, openTestView, presentRoom, stockClient, type TestView } from '../../support/view.ts'

const alice = testSigner(1)
const SYNC_STEP_1 = Uint8Array.of(0, 0, 1, 0)

t.test('what is no message of the protocol ends the connection; another reader does not notice', async (t) => {
  const view = await openTestView(t)
  await view.replica.publish(signRecord(alice, 'job'))
  const room = await presentRoom(t, view)
  const witness = stockClient(t, view, room)
  await until(() => witness.provider.synced)
  const cases: Array<[string, Uint8Array | string, number]> = [
    ['empty', new Uint8Array(0), 4400], ['unknown type', Uint8Array.of(9), 4400], ['auth', Uint8Array.of(2, 0), 4400], ['unknown step', Uint8Array.of(0, 3, 0), 4400],
    ['no step', Uint8Array.of(0), 4400], ['vector cut short', Uint8Array.of(0, 0, 5, 0), 4400], ['vector of 2^32 bytes', Uint8Array.of(0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f), 4400],
    ['vector that promises more', Uint8Array.of(0, 0, 2, 9, 1), 4400], ['number without end', new Uint8Array(64).fill(0xff), 4400], ['text', '\u0001\u0000', 4400],
    ['too large', new Uint8Array(65_537), 1009]
  ]
  for (const [name, bytes, code] of cases) {
    const socket = await openSocket(t, view, room)
    const closed = closeOf(socket)
    socket.send(bytes)
    t.equal((await closed).code, code, name)
  }
  const tolerated = await openSocket(t, view, room)
  for (const bytes of [Uint8Array.of(1, 200), Uint8Array.of(3), Uint8Array.of(0, 1, 3, 9, 9, 9), Uint8Array.of(0, 2, 200), SYNC_STEP_1]) tolerated.send(bytes)
  const [answer] = await once(tolerated, 'message') as [Buffer]
  t.strictSame([answer[0], answer[1]], [0, 1], 'what is dropped is not decoded, and sync step 1 is answered')
  await view.replica.publish(signRecord(alice, 'job', { slot: 1 }))
  view.flush()
  await until(() => witness.doc.getMap('jobs').size === 2)
})

t.test('a flood of messages, of pings or of syncs ends the connection', async (t) => {
  const view = await openTestView(t, { messages: { perSecond: 1, burst: 20 }, syncs: { perSecond: 1, burst: 3 } })
  const room = await presentRoom(t, view)
  const flood = async (times: number, send: (socket: WebSocket) => void): Promise<number> => {
    const socket = await openSocket(t, view, room)
    const closed = closeOf(socket)
    for (let n = 0; n < times; n++) send(socket)
    return (await closed).code
  }
  t.equal(await flood(21, (socket) => { socket.send(Uint8Array.of(1, 0)) }), 4429)
  t.equal(await flood(21, (socket) => { socket.ping() }), 4429)
  t.equal(await flood(4, (socket) => { socket.send(SYNC_STEP_1) }), 4429)
  const patient = await openSocket(t, view, room)
  for (let n = 0; n < 10; n++) {
    patient.send(SYNC_STEP_1)
    await once(patient, 'message')
    view.clock.advance(1_000)
  }
  t.equal(patient.readyState, WebSocket.OPEN)
})

t.test('a reader that does not read is cut off, and the others go on', async (t) => {
  const view = await openTestView(t, { maxUnreadBytes: 3_000_000 })
  const room = await presentRoom(t, view)
  const witness = stockClient(t, view, room)
  const slow = await openSocket(t, view, room)
  slow.send(SYNC_STEP_1)
  await Promise.all([once(slow, 'message'), until(() => witness.provider.synced)])
  slow.pause()
  const ranking = (epoch: number): Parameters<TestView['decide']> => [epoch, [{ engine: 'x'.repeat(1_000_000) }]]
  const has = (epoch: number): boolean => witness.doc.getMap('auctions').has(String(epoch))
  // The system's own buffers take some megabytes first.
  let epoch = 0
  const closed = closeOf(slow)
  while (epoch < 60) {
    view.decide(...ranking(++epoch))
    view.flush()
    await until(() => has(epoch))
  }
  slow.resume()
  t.equal((await closed).code, 1006)
  t.ok(witness.provider.wsconnected)
})

t.test('who asks again and again without reading gets one answer, not many', async (t) => {
  const view = await openTestView(t, { maxUnreadBytes: 100_000, syncs: { perSecond: 1, burst: 100 }, messages: { perSecond: 1, burst: 1000 } })
  view.decide(1, [{ engine: 'x'.repeat(1_000_000) }])
  const room = await presentRoom(t, view)
  const slow = await openSocket(t, view, room)
  slow.pause()
  for (let n = 0; n < 100; n++) slow.send(SYNC_STEP_1)
  // The node reads in order: its pong to this ping says that it has seen them all. It is read after what was sent before it.
  slow.ping()
  let answers = 0
  slow.on('message', () => { answers++ })
  const witness = stockClient(t, view, room)
  await until(() => witness.provider.synced)
  slow.resume()
  await once(slow, 'pong')
  t.ok(answers >= 1 && answers < 30, `${answers} answers to 100 requests`)
  t.equal(slow.readyState, WebSocket.OPEN)
})

t.test('a large first answer is no reason to cut a reader off', async (t) => {
  const view = await openTestView(t, { maxUnreadBytes: 1_000 })
  view.decide(1, [{ engine: 'x'.repeat(20_000_000) }])
  const room = await presentRoom(t, view)
  const { doc, provider } = stockClient(t, view, room)
  await until(() => provider.synced)
  t.ok(doc.getMap('auctions').has('1'))
})

t.test('a peer that answers no ping is cut off; one that does gets an empty update as a sign of life', async (t) => {
  const view = await openTestView(t, { beatMs: 1_000 })
  const room = await presentRoom(t, view)
  const alive = await openSocket(t, view, room)
  const dead = await openSocket(t, view, room, { autoPong: false })
  const copy = new Y.Doc()
  let updates = 0
  copy.on('update', () => { updates++ })
  for (let beat = 0; beat < 2; beat++) {
    const [signs, pinged] = [once(alive, 'message'), once(alive, 'ping')]
    const ended = beat === 1 ? closeOf(dead) : undefined
    view.clock.advance(1_000)
    await pinged
    const [sign] = await signs as [Buffer]
    t.strictSame([...sign], [0, 2, 2, 0, 0])
    Y.applyUpdate(copy, sign.subarray(3))
    if (ended !== undefined) t.equal((await ended).code, 1006)
    // The node has the pong when it answers what was sent after it.
    alive.send(SYNC_STEP_1)
    await once(alive, 'message')
  }
  t.equal(updates, 0)
  t.equal(alive.readyState, WebSocket.OPEN)
})
