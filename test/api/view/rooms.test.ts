import { once } from 'node:events'
import t from 'tap'
import { registerKey } from '../../../src/book/register.ts'
import { until } from '../../support/lilynode.ts'
import { signRecord, T0, testSigner } from '../../support/records.ts'
import { followAsStock, openTestView, presentRoom, stockClient, valuesOf } from '../../support/view.ts'

const alice = testSigner(1)
const offer = signRecord(alice, 'offer')

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

t.test('the node stops although readers are there, and they hear of it', async (t) => {
  const view = await openTestView(t)
  const reader = followAsStock(t, view)
  await until(() => reader.rooms.length === 1)
  const closed = new Promise<{ code: number } | null>((resolve) => { reader.provider().on('connection-close', resolve) })
  await view.stop()
  t.equal((await closed)?.code, 1001)
  reader.leave()
})
