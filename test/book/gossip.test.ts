import t from 'tap'
import type { Admission } from '../../src/book/admission.ts'
import { createGossip, type RecordGossip } from '../../src/book/gossip.ts'
import { GOSSIP } from '../../src/book/options.ts'
import { createManualClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import type { Subscription, Topics } from '../../src/mesh/topics.ts'
import { decodeBatch, encodeBatch, MAX_BATCH_BYTES } from '../../src/wire/record-batch.ts'
import { DOMAIN } from '../support/records.ts'

function setup (judge = (_bytes: Uint8Array): Admission => ({ verdict: 'accept' })): { gossip: RecordGossip, sent: Uint8Array[], room: { isThere: boolean }, clock: ReturnType<typeof createManualClock>, subscription: () => Subscription } {
  const room = { isThere: true }
  const sent: Uint8Array[] = []
  let subscription: Subscription | undefined
  const topics: Topics = { hasRoom: () => room.isThere, readers: () => [], publish: async (_topic, data) => { sent.push(data) }, subscribe: (_topic, options) => { subscription = options; return () => { subscription = undefined } } }
  const clock = createManualClock()
  const gossip = createGossip({ topics, clock, logger: silentLogger, domain: DOMAIN, intake: async (batch) => batch.map(judge) }, { shards: [0] })
  gossip.start()
  return { gossip, sent, room, clock, subscription: () => subscription as Subscription }
}

/** Batches leave in turns of the event loop. */
const turn = async (): Promise<void> => { await new Promise((resolve) => { setImmediate(resolve) }) }
const countsOf = async (sent: Uint8Array[]): Promise<number[]> => {
  await turn()
  return sent.splice(0).map((batch) => decodeBatch(DOMAIN, batch).length)
}

t.test('the first record of a quiet moment leaves at once, those close behind it together, 32 at most and within the size of a message', async (t) => {
  const { gossip, sent, clock } = setup()
  gossip.send(Uint8Array.of(1), 0)
  t.strictSame(await countsOf(sent), [1])
  clock.advance(1)
  gossip.send(Uint8Array.of(2), 0)
  clock.advance(GOSSIP.flushMs - 2)
  gossip.send(Uint8Array.of(3), 0)
  t.strictSame(await countsOf(sent), [])
  clock.advance(1)
  t.strictSame(await countsOf(sent), [2])
  for (let n = 0; n < 40; n++) gossip.send(Uint8Array.of(n), 0)
  t.strictSame(await countsOf(sent), [32], 'a full batch does not wait')
  clock.advance(GOSSIP.flushMs)
  t.strictSame(await countsOf(sent), [8])
  for (let n = 0; n < 9; n++) gossip.send(new Uint8Array(16_000), 0)
  clock.advance(GOSSIP.flushMs)
  await turn()
  t.ok(sent.every((batch) => batch.length <= MAX_BATCH_BYTES))
  t.strictSame(await countsOf(sent), [4, 4, 1])
})

t.test('batches wait while a peer has not taken the last ones, a second at most', async (t) => {
  const { gossip, sent, room, clock } = setup()
  const pass = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += GOSSIP.flushMs) {
      await turn()
      clock.advance(GOSSIP.flushMs)
    }
  }
  room.isThere = false
  gossip.send(Uint8Array.of(1), 0)
  await pass(GOSSIP.roomMs / 2)
  t.strictSame(await countsOf(sent), [])
  room.isThere = true
  await pass(GOSSIP.flushMs)
  t.strictSame(await countsOf(sent), [1])
  room.isThere = false
  gossip.send(Uint8Array.of(2), 0)
  await pass(2 * GOSSIP.roomMs)
  t.strictSame(await countsOf(sent), [1], 'a peer that takes nothing holds nobody else up')
})

t.test('stopping sends what waits and leaves the topic', async (t) => {
  const { gossip, sent, subscription } = setup()
  gossip.send(Uint8Array.of(1), 0)
  await gossip.stop()
  t.equal(sent.length, 1)
  t.equal(subscription(), undefined)
})

t.test('a full queue drops the newest message unread; those that wait are judged in order', async (t) => {
  const judged: number[] = []
  const { subscription } = setup((bytes) => { judged.push((bytes[0] as number) * 256 + (bytes[1] as number)); return { verdict: 'accept' } })
  const verdicts = await Promise.all(Array.from({ length: GOSSIP.maxQueued + 30 }, async (_, n) => await subscription().validate(encodeBatch(DOMAIN, [Uint8Array.of(n >> 8, n & 255)]), `peer ${n % 2}`)))
  t.strictSame(verdicts.slice(GOSSIP.maxQueued), Array.from({ length: 30 }, () => 'ignore'))
  t.strictSame(judged, Array.from({ length: GOSSIP.maxQueued }, (_, n) => n))
  t.equal(await subscription().validate(encodeBatch(DOMAIN, [Uint8Array.of(9, 9)]), 'peer'), 'accept', 'there is room again')
})

t.test('one peer fills half of the queue at most', async (t) => {
  const { subscription } = setup()
  const send = async (n: number, from: string): Promise<string> => await subscription().validate(encodeBatch(DOMAIN, [Uint8Array.of(n >> 8, n & 255)]), from)
  const flood = Array.from({ length: 2 * GOSSIP.maxQueued }, async (_, n) => await send(n, 'flooder'))
  t.equal(await send(0, 'peer'), 'accept')
  t.equal((await Promise.all(flood)).filter((verdict) => verdict === 'accept').length, GOSSIP.maxQueuedPerPeer)
})

t.test('the event loop turns between two messages', async (t) => {
  const order: string[] = []
  const { subscription } = setup(() => { order.push('judged'); return { verdict: 'accept' } })
  const tick = (): void => { order.push('turn'); if (order.length < 6) setImmediate(tick) }
  setImmediate(tick)
  await Promise.all([1, 2].map(async (n) => await subscription().validate(encodeBatch(DOMAIN, [Uint8Array.of(n)]), 'peer')))
  t.match(order.join(' '), /judged.* turn .*judged/)
})

t.test('one new record passes a batch on beside known ones; one bad record condemns it, and one that was not verified stops it', async (t) => {
  const kinds: Admission[] = [{ verdict: 'accept' }, { verdict: 'ignore', isVerified: true }, { verdict: 'ignore' }, { verdict: 'reject' }]
  const { subscription } = setup((bytes) => kinds[bytes[0] as number] as Admission)
  const judge = async (...of: number[]): Promise<string> => await subscription().validate(encodeBatch(DOMAIN, of.map((kind) => Uint8Array.of(kind))), 'peer')
  t.strictSame([await judge(0, 1), await judge(1, 1), await judge(0, 2), await judge(2), await judge(0, 3)], ['accept', 'ignore', 'ignore', 'ignore', 'reject'])
})
