import t from 'tap'
import * as Y from 'yjs'
import { registerKey } from '../../../src/book/register.ts'
import { until } from '../../support/lilynode.ts'
import { jobBody, offerBody, signRecord, T0, testSigner } from '../../support/records.ts'
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
