import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import * as Y from 'yjs'
import { registerKey } from '../../../src/book/register.ts'
import { jobBody, offerBody, signRecord, T0, testSigner } from '../../support/records.ts'
import { until } from '../../support/lilynode.ts'
import { followAsStock, openTestView, presentRoom, stockClient, valuesOf } from '../../support/view.ts'

const alice = testSigner(1)
const offer = signRecord(alice, 'offer')
type Shown = { id: string, body: { limit: number } }

t.test('a stock client sees offers come, change, be cancelled and expire', async (t) => {
  const view = await openTestView(t)
  await view.replica.publish(offer)
  const reader = followAsStock(t, view)
  await until(() => reader.rooms.length === 1)
  const key = registerKey(offer)
  const seen: string[] = []
  for (const map of ['offers', 'jobs']) reader.doc().getMap(map).observe(({ changes }) => { for (const { action } of changes.keys.values()) seen.push(`${action} in ${map}`) })
  t.match(reader.doc().getMap('offers').toJSON(), { [key]: { id: offer.id, account: alice.address, slot: 0, seq: T0, body: offerBody() } })

  const job = signRecord(alice, 'job', { slot: 1 })
  await view.replica.publish(job)
  view.flush()
  await until(() => seen.includes('add in jobs'))
  t.match(valuesOf(reader.doc(), 'jobs'), [{ id: job.id }])

  const renewed = signRecord(alice, 'offer', { seq: T0 + 1, body: offerBody({ maxRunSeconds: 60 }) })
  await view.replica.publish(renewed)
  view.flush()
  await until(() => seen.includes('update in offers'))
  t.match(reader.doc().getMap('offers').toJSON(), { [key]: { id: renewed.id, body: { maxRunSeconds: 60 } } })

  await view.replica.publish(signRecord(alice, 'cancel', { slot: 1, seq: T0 + 1 }))
  view.flush()
  await until(() => seen.includes('delete in jobs'))

  view.clock.advance(62 * 60_000)
  await until(() => seen.includes('delete in offers'))
  t.strictSame(seen, ['add in jobs', 'update in offers', 'delete in jobs', 'delete in offers'])
})

t.test('auctions are shown as they are decided, the last of them', async (t) => {
  const view = await openTestView(t, { epochs: 3 })
  const ranked = { solver: alice.address, engine: 'lp', score: 5, matches: 2, winner: true, fallback: false }
  view.decide(6, [ranked])
  view.decide(7, [])
  const reader = followAsStock(t, view)
  await until(() => reader.rooms.length === 1)
  const epochs = (): string[] => [...reader.doc().getMap('auctions').keys()].sort()
  t.strictSame(epochs(), ['6'], 'one without solutions is not shown')
  view.decide(8, [ranked])
  view.flush()
  await until(() => epochs().length === 2)
  t.strictSame(reader.doc().getMap('auctions').get('8'), { epoch: 8, solutions: [ranked] })
  view.decide(10, [ranked])
  view.flush()
  await until(() => epochs().includes('10'))
  t.strictSame(epochs(), ['10', '8'])
})

t.test('a worn document rolls: every reader goes on in a room of its own making, and nothing deleted comes back', async (t) => {
  const view = await openTestView(t, { minDead: 2, deadShare: 0 })
  await view.replica.publish(signRecord(alice, 'job', { slot: 9 }))
  const readers = [followAsStock(t, view), followAsStock(t, view)]
  await until(() => readers.every(({ rooms }) => rooms.length === 1))
  const before = readers.map((reader) => reader.doc())
  for (let seq = T0; seq < T0 + 4; seq++) {
    await view.replica.publish(signRecord(alice, seq === T0 + 3 ? 'cancel' : 'job', { slot: 1, seq }))
    view.flush()
  }
  await until(() => readers.every(({ rooms }) => rooms.length === 2))
  const [rooms, others] = readers.map((reader) => reader.rooms)
  t.strictSame(rooms, others)
  t.not(rooms?.[0], rooms?.[1])
  for (const [index, reader] of readers.entries()) {
    t.match(valuesOf(reader.doc(), 'jobs'), [{ id: signRecord(alice, 'job', { slot: 9 }).id }])
    t.not(reader.doc(), before[index])
  }
  const late = signRecord(alice, 'job', { slot: 2 })
  await view.replica.publish(late)
  view.flush()
  await until(() => readers.every((reader) => reader.doc().getMap('jobs').has(registerKey(late))))
  t.equal(before[0]?.getMap('jobs').has(registerKey(late)), false, 'the old copies hear no more')
})

t.test('a client that comes back to a room that has ended is told the present one and stays away', async (t) => {
  const view = await openTestView(t, { minDead: 0, deadShare: 0 })
  const first = followAsStock(t, view)
  await until(() => first.rooms.length === 1)
  const ended = first.rooms[0] as string
  await view.replica.publish(offer)
  view.flush()
  await view.replica.publish(signRecord(alice, 'offer', { seq: T0 + 1 }))
  view.flush()
  await until(() => first.rooms.length === 2)
  const { doc, provider } = stockClient(t, view, ended)
  const told = await new Promise((resolve) => { provider.on('closed', resolve) })
  t.strictSame(told, { code: 4410, reason: first.rooms[1] })
  t.equal(provider.shouldConnect, false)
  t.equal(doc.getMap('offers').size, 0)
})

t.test('what a client writes reaches neither the node nor another client', async (t) => {
  const view = await openTestView(t)
  await view.replica.publish(offer)
  const room = await presentRoom(t, view)
  const [writer, reader] = [stockClient(t, view, room), stockClient(t, view, room)]
  await until(() => writer.provider.synced && reader.provider.synced)
  let received = 0
  reader.provider.awareness.on('change', () => { received++ })
  writer.provider.awareness.setLocalStateField('user', 'mallory')
  writer.doc.getMap('offers').delete(registerKey(offer))
  writer.doc.getMap('jobs').set('forged', { id: 'forged' })
  // Ask again, now with the whole of its own state, as a client does when it reconnects.
  writer.provider.disconnect()
  writer.provider.connect()
  await until(() => writer.provider.synced)
  const job = signRecord(alice, 'job', { slot: 1 })
  await view.replica.publish(job)
  view.flush()
  await until(() => reader.doc.getMap('jobs').size > 0)
  t.match(valuesOf<Shown>(reader.doc, 'jobs'), [{ id: job.id, body: jobBody() }])
  t.match(valuesOf<Shown>(reader.doc, 'offers'), [{ id: offer.id }])
  t.equal(received, 0)
  const { doc, provider } = stockClient(t, view, room)
  await until(() => provider.synced)
  t.strictSame(doc.getMap('jobs').toJSON(), reader.doc.getMap('jobs').toJSON())
  t.strictSame([...Y.decodeStateVector(Y.encodeStateVector(doc)).keys()].length, 1, 'one writer')
})

t.test('nothing is made without a reader; the document waits a while for the last one to come back', async (t) => {
  const view = await openTestView(t, { lingerMs: 1_000 })
  const room = await presentRoom(t, view)
  t.equal(view.listeners(), 0, 'asking for the room opens nothing')
  const first = stockClient(t, view, room)
  await until(() => first.provider.synced)
  t.equal(view.listeners(), 1)
  const leave = async (client: typeof first): Promise<void> => {
    const closed = once(client.provider.ws as unknown as EventTarget, 'close')
    client.provider.destroy()
    await closed
  }
  await leave(first)
  t.equal(await presentRoom(t, view), room)
  view.clock.advance(999)
  const second = stockClient(t, view, room)
  await until(() => second.provider.synced)
  view.clock.advance(10_000)
  t.equal(view.listeners(), 1, 'somebody is there')
  await leave(second)
  t.equal(await presentRoom(t, view), room)
  view.clock.advance(1_000)
  t.equal(view.listeners(), 0)
  t.not(await presentRoom(t, view), room)
})

t.test('a book that takes several pieces is synced whole', async (t) => {
  const view = await openTestView(t, { maxPerFlush: 2, syncs: { perSecond: 1, burst: 1 } })
  for (let slot = 0; slot < 7; slot++) await view.replica.publish(signRecord(alice, 'job', { slot }))
  const room = await presentRoom(t, view)
  const { doc, provider } = stockClient(t, view, room)
  await until(() => view.listeners() === 1 && provider.wsconnected)
  t.equal(doc.getMap('jobs').size, 0)
  t.equal(provider.synced, false)
  view.clock.advance(0)
  await until(() => provider.synced)
  t.equal(doc.getMap('jobs').size, 7)
})

t.test('the node stops although readers are there, and they hear of it', async (t) => {
  const view = await openTestView(t)
  const reader = followAsStock(t, view)
  await until(() => reader.rooms.length === 1)
  const closed = new Promise<{ code: number } | null>((resolve) => { reader.provider().on('connection-close', resolve) })
  await view.stop()
  t.equal((await closed)?.code, 1001)
  reader.leave()
})

t.test('the reader in README.md works', async (t) => {
  const view = await openTestView(t, { minDead: 1, deadShare: 0 })
  await view.replica.publish(offer)
  const example = /```js\n([^]*?)```/.exec(readFileSync('README.md', 'utf8'))?.[1] ?? ''
  const folder = t.testdir({ 'reader.mjs': example, 'api.json': JSON.stringify({ url: view.url, token: view.token }) })
  const child = spawn(process.execPath, [join(folder, 'reader.mjs'), join(folder, 'api.json')], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(async () => {
    const ended = once(child, 'exit')
    if (child.kill()) await ended
  })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => { text += chunk.toString() })
  const expected = ['add', 'update', 'update', 'add'].map((action) => `${action} ${registerKey(offer)}\n`)
  await until(() => text === expected[0])
  for (const seq of [T0 + 1, T0 + 2]) {
    const before = text
    await view.replica.publish(signRecord(alice, 'offer', { seq }))
    view.flush()
    await until(() => text !== before)
  }
  await until(() => text === expected.join(''))
})

t.test('neither Yjs nor the WebSocket server is loaded before a reader comes', async (t) => {
  const script = `
    const { registerHooks } = await import('node:module')
    const asked = []
    registerHooks({ resolve: (name, context, next) => { asked.push(name); return next(name, context) } })
    for (const file of ['api/server.ts', 'api/view/endpoint.ts', 'node/facade.ts', 'cli/commands/book.ts']) await import(process.argv[1] + file)
    console.log(JSON.stringify(asked.filter((name) => /^(ws|yjs|lib0|y-protocols)/.test(name))))`
  const source = new URL('../../../src/', import.meta.url).href
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script, source])
  t.strictSame(JSON.parse(stdout), [])
})
