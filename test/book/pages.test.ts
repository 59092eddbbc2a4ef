import t, { type Test } from 'tap'
import { createBook } from '../../src/book/book.ts'
import { PAGE_RATE, RECONCILE } from '../../src/book/options.ts'
import { servePages } from '../../src/book/page-server.ts'
import { createPages, type Pages } from '../../src/book/pages.ts'
import { inLanes } from '../../src/book/lanes.ts'
import { createManualClock } from '../../src/core/clock.ts'
import { createSeededRandom } from '../../src/core/random.ts'
import type { FrameStream } from '../../src/mesh/requests.ts'
import { decodeFetched, decodePageQuery, decodePushed, encodeFetched, RECORDS_PROTOCOL, type PageQuery } from '../../src/wire/reconcile.ts'
import { encodeRecord } from '../../src/wire/record.ts'
import { createMemoryNetwork, type MemoryMesh } from '../support/memory-mesh.ts'
import { DOMAIN, signRecord, T0, testSigner } from '../support/records.ts'

const jobs = Array.from({ length: 3 }, (_, slot) => signRecord(testSigner(1), 'job', { slot }))
const [first] = jobs as [typeof jobs[0] & object]
const fetch: PageQuery = { type: 'fetch', ids: [first.id] }
const settle = async (): Promise<void> => { for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => { setImmediate(resolve) }) }

/** An asking and an answering side that are connected. */
function createPair (): { giver: MemoryMesh, pages: Pages } {
  const network = createMemoryNetwork(createSeededRandom(1))
  const [asker, giver] = [network.node('asker'), network.node('giver')]
  network.connect('asker', 'giver')
  return { giver, pages: createPages({ requests: asker.requests, domain: DOMAIN }, { peer: 'giver', onBytes: () => undefined }) }
}
const limits = { maxBytes: 0, maxFrameBytes: 0, perPeerPerSecond: 0, concurrency: 0, timeoutMs: 0 }
const serve = (giver: MemoryMesh, handler: (stream: FrameStream) => Promise<void>): void => { giver.requests.serveStream(RECORDS_PROTOCOL, limits, handler) }

/** The real answering side, over a book that takes what is pushed when it is told to. */
function startServer (t: Pick<Test, 'teardown'>, giver: MemoryMesh): { clock: ReturnType<typeof createManualClock>, pushes: Array<() => void> } {
  const clock = createManualClock(T0)
  const book = createBook({ domain: DOMAIN })
  for (const record of jobs) book.merge(record, T0)
  const pushes: Array<() => void> = []
  t.teardown(servePages({
    requests: giver.requests, book, clock, domain: DOMAIN, onPage: () => undefined,
    intake: async (batch) => {
      await new Promise<void>((resolve) => { pushes.push(resolve) })
      return batch.map(() => ({ verdict: 'accept' as const, id: first.id }))
    }
  }))
  return { clock, pushes }
}

t.test('all pages go over one stream, fetched and pushed, answered in the order they were asked', async (t) => {
  const { giver, pages } = createPair()
  let streams = 0
  const { serveStream } = giver.requests
  giver.requests.serveStream = (protocol, given, handler) => serveStream(protocol, given, async (stream, context) => { streams++; await handler(stream, context) })
  const { pushes } = startServer(t, giver)
  const order: string[] = []
  const pushed = pages.ask({ type: 'push', records: [encodeRecord(first)] }).then((answer) => { order.push('push'); return decodePushed(answer) })
  const fetched = pages.ask(fetch).then((answer) => { order.push('fetch'); return decodeFetched(answer) })
  await settle()
  t.strictSame(order, [], 'the second waits for the first')
  pushes[0]?.()
  t.strictSame(await pushed, [first.id])
  t.strictSame(await fetched, [encodeRecord(first)])
  t.strictSame(order, ['push', 'fetch'])
  await pages.close()
  t.equal(streams, 1)
})

t.test('the answering side works on two pages of a stream at a time and leaves the rest where it is', async (t) => {
  const { giver, pages } = createPair()
  const { pushes } = startServer(t, giver)
  const asked = Array.from({ length: 6 }, async () => await pages.ask({ type: 'push', records: [encodeRecord(first)] }))
  await settle()
  t.equal(pushes.length, 2)
  for (let done = 0; done < asked.length; done++) {
    pushes[done]?.()
    await asked[done]
    await settle()
    t.ok(pushes.length <= done + 3)
  }
})

t.test('a peer that asks without end gets 300 pages a second, over all its streams, and is not refused', async (t) => {
  const { giver, pages } = createPair()
  const { clock } = startServer(t, giver)
  let answered = 0
  const asking = inLanes(RECONCILE.pagesAtOnce, () => answered >= PAGE_RATE.burst + 20 ? undefined : pages.ask(fetch).then(() => { answered++ }))
  while (answered < PAGE_RATE.burst) await settle()
  await settle()
  t.equal(answered, PAGE_RATE.burst)
  clock.advance(RECONCILE.pageWaitMs)
  await settle()
  t.equal(answered, PAGE_RATE.burst + 3, 'three in 10 ms')
  clock.advance(1000)
  await asking
})

t.test('an answer that was not asked for ends the stream', async (t) => {
  const { giver, pages } = createPair()
  serve(giver, async (stream) => {
    for await (const _ of stream) for (let times = 0; times < 2; times++) await stream.send(encodeFetched([]))
  })
  await pages.ask(fetch)
  await settle()
  await t.rejects(pages.ask(fetch), { code: 'BOOK_RECONCILE' })
})

t.test('a stream that ends, or breaks off, rejects every page that is open and all later ones', async (t) => {
  const ends: Array<[string, (stream: FrameStream) => Promise<void>, string]> = [
    ['ends', async () => undefined, 'BOOK_RECONCILE'],
    ['is refused', async () => { throw new Error('no') }, 'INTERNAL'],
    ['breaks off', async (stream) => { stream.abort(new Error('gone')) }, 'MESH_UNREACHABLE']
  ]
  for (const [what, end, code] of ends) {
    const { giver, pages } = createPair()
    serve(giver, async (stream) => {
      await stream[Symbol.asyncIterator]().next()
      await end(stream)
    })
    const open = await Promise.allSettled([pages.ask(fetch), pages.ask(fetch)])
    t.strictSame(open.map((result) => result.status === 'rejected' ? (result.reason as { code: string }).code : 'answered'), [code, code], what)
    await t.rejects(pages.ask(fetch), { code })
    await t.rejects(pages.close(), { code })
  }
})

t.test('nobody asked: nothing is opened, and closing is nothing', async () => {
  await createPair().pages.close()
})

t.test('a query that cannot be read ends the stream with its code', async (t) => {
  const { giver, pages } = createPair()
  startServer(t, giver)
  await t.rejects(pages.ask({ type: 'fetch', ids: [] }), { code: 'WIRE_INVALID', data: { remote: true } })
  t.throws(() => decodePageQuery(DOMAIN, Uint8Array.of(1)), { code: 'WIRE_INVALID' })
})
