import t from 'tap'
import { recordsTopic } from '../../src/wire/topics.ts'
import { GOSSIP, RECONCILE } from '../../src/book/options.ts'
import { createPages } from '../../src/book/pages.ts'
import { createBookReplica, type BookReplica } from '../../src/book/replica.ts'
import { createManualClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { createSeededRandom } from '../../src/core/random.ts'
import { FRAME_COST_BYTES } from '../../src/mesh/frames.ts'
import type { Datastore } from '../../src/store/datastore.ts'
import { encodeBatch } from '../../src/wire/record-batch.ts'
import { encodeRecord, type SignedRecord } from '../../src/wire/record.ts'
import { encodeFetched, MAX_PAGE_RECORDS, MAX_UNREAD_BYTES, RECONCILE_PROTOCOL, RECORDS_PROTOCOL } from '../../src/wire/reconcile.ts'
import { createMemoryDatastore } from '../support/memory-datastore.ts'
import { createMemoryNetwork, type MemoryMesh, type MemoryNetwork, type Tamper } from '../support/memory-mesh.ts'
import { DOMAIN, jobBody, signRecord, T0, testSigner } from '../support/records.ts'

const alice = testSigner(1)
const never = new AbortController().signal
const TOPIC = recordsTopic(DOMAIN.chainId, 0)

interface Peer { name: string, replica: BookReplica, mesh: MemoryMesh & { tamper: Tamper | undefined }, data: Map<string, Uint8Array> }
interface World { network: MemoryNetwork, clock: ReturnType<typeof createManualClock>, start: (name: string, data?: Map<string, Uint8Array>, change?: Partial<Datastore>) => Promise<Peer>, settle: () => Promise<void> }

function createWorld (test: { teardown: (stop: () => Promise<void>) => void }, seed = 1): World {
  const network = createMemoryNetwork(createSeededRandom(seed))
  const clock = createManualClock(T0)
  return {
    network,
    clock,
    start: async (name, data = new Map(), change = {}) => {
      const mesh = network.node(name)
      const replica = createBookReplica({ mesh, datastore: Object.assign(createMemoryDatastore(data), change), clock, logger: silentLogger, domain: DOMAIN, random: createSeededRandom(seed + name.length) }, { secret: new Uint8Array(32) })
      await replica.start()
      test.teardown(replica.stop)
      return { name, replica, mesh, data }
    },
    settle: async () => {
      clock.advance(GOSSIP.flushMs)
      await new Promise((resolve) => { setImmediate(resolve) })
      await network.idle()
    }
  }
}
const idsOf = ({ replica }: Peer): string[] => replica.book.ids().sort()
const jobs = (count: number, seq = T0): SignedRecord[] => Array.from({ length: count }, (_, slot) => signRecord(alice, 'job', { slot, seq }))
/** Waits for something that happens over turns of the event loop, moving no clock. */
async function until (what: () => boolean): Promise<void> {
  const started = performance.now()
  // Threads that check signatures take their time.
  while (performance.now() - started < 20_000) {
    if (what()) return
    await new Promise((resolve) => { setImmediate(resolve) })
  }
  throw new Error('did not happen')
}

t.test('records published at one node reach all others through relays, in batches', async (t) => {
  const { network, start, settle } = createWorld(t)
  const [a, b, c] = [await start('a'), await start('b'), await start('c')]
  network.connect('a', 'b')
  network.connect('b', 'c')
  // What reconciliation brings is not passed on by gossip.
  await settle()
  await Promise.all(jobs(40).map(a.replica.publish))
  await settle()
  t.equal(c.replica.book.size, 40)
  t.strictSame(idsOf(b), idsOf(a))
  t.equal(network.verdicts.filter(({ at }) => at === 'b').length, 3, '1, 32 and 7')
  t.ok(network.verdicts.every(({ verdict }) => verdict === 'accept'))
})

t.test('an asker never has more unanswered than the other side lets lie unread', async (t) => {
  const { network, clock, start, settle } = createWorld(t)
  const [a, b] = [await start('a'), await start('b')]
  const { openStream } = a.mesh.requests
  const unanswered: number[] = []
  let most = 0
  let bytes = 0
  a.mesh.requests.openStream = async (...given) => {
    const stream = await openStream(...given)
    return {
      ...stream,
      send: async (frame) => {
        unanswered.push(frame.byteLength + FRAME_COST_BYTES)
        bytes += frame.byteLength
        most = Math.max(most, unanswered.reduce((sum, each) => sum + each, FRAME_COST_BYTES))
        await stream.send(frame)
      },
      [Symbol.asyncIterator]: async function * () { for await (const answer of stream) { unanswered.shift(); yield answer } }
    }
  }
  await Promise.all(jobs(400).map(a.replica.publish))
  await Promise.all(jobs(400).map(async ({ slot, seq }) => { await b.replica.publish(signRecord(testSigner(2), 'job', { slot, seq })) }))
  // Else gossip brings them.
  await settle()
  network.connect('a', 'b')
  clock.advance(1)
  await until(() => a.replica.book.size === 800 && b.replica.book.size === 800)
  t.ok(bytes > 4 * MAX_UNREAD_BYTES, `${bytes} bytes of queries`)
  t.ok(most > MAX_UNREAD_BYTES / 2 && most <= MAX_UNREAD_BYTES, `${most} at once`)
})

t.test('an own record leaves before its copy is on disk, and counts as published when it is', async (t) => {
  const { network, start, settle } = createWorld(t)
  const written = Promise.withResolvers<void>()
  const a = await start('a', new Map(), { batch: async () => { await written.promise } })
  const b = await start('b')
  network.connect('a', 'b')
  await settle()
  let isPublished = false
  const publishing = a.replica.publish(signRecord(alice, 'job', { slot: 0, seq: T0 })).then(() => { isPublished = true })
  await until(() => b.replica.book.size === 1)
  t.notOk(isPublished)
  written.resolve()
  await publishing
})

t.test('a cancel at one node withdraws the job at all', async (t) => {
  const { network, start, settle } = createWorld(t)
  const [a, b] = [await start('a'), await start('b')]
  network.connect('a', 'b')
  const seen: string[] = []
  b.replica.book.onChange(({ type, entry }) => { seen.push(`${type} ${entry.record.kind}`) })
  await a.replica.publish(signRecord(alice, 'job'))
  await settle()
  await a.replica.publish(signRecord(alice, 'cancel', { seq: T0 + 1 }))
  await settle()
  t.strictSame(seen, ['added job', 'removed job', 'added cancel'])
  t.strictSame(b.replica.book.live('job'), [])
})

t.test('both sides of an equivocation meet at one node, and all others learn the proof', async (t) => {
  const { network, start, settle } = createWorld(t)
  const [a, b, c] = [await start('a'), await start('b'), await start('c')]
  const [one, other] = [signRecord(alice, 'job'), signRecord(alice, 'job', { body: jobBody({ limit: 7 }) })]
  await a.replica.publish(one)
  await settle()
  network.connect('c', 'a')
  await c.replica.reconcileNow('a', never)
  network.disconnect('c', 'a')
  network.connect('a', 'b')
  await b.replica.publish(other)
  await settle()
  await settle()
  t.equal(a.replica.book.live('equivocation').length, 1)
  t.strictSame(a.replica.book.live('job'), [])
  t.strictSame(b.replica.book.live('job'), [], 'the other publisher learnt it by gossip')
  network.connect('a', 'c')
  await a.replica.reconcileNow('c', never)
  t.strictSame(c.replica.book.live('job'), [], 'and who saw one side only, by reconciliation')
  t.strictSame(idsOf(c), idsOf(a))
})

t.test('gossip from a stranger: REJECT for forgeries, IGNORE for what is known or of another deployment', async (t) => {
  const { network, start, settle } = createWorld(t)
  const b = await start('b')
  const liar = network.node('liar')
  network.connect('liar', 'b')
  const job = signRecord(alice, 'job')
  const forged = { ...signRecord(alice, 'cancel', { seq: T0 + 1 }), signature: job.signature }
  const send = async (data: Uint8Array): Promise<string | undefined> => {
    await liar.topics.publish(TOPIC, data)
    await settle()
    return network.verdicts.at(-1)?.verdict
  }
  t.equal(await send(encodeBatch(DOMAIN, [encodeRecord(job)])), 'accept')
  t.equal(await send(encodeBatch(DOMAIN, [encodeRecord({ ...job, signature: `0x${'22'.repeat(64)}` })])), 'ignore')
  t.equal(await send(encodeBatch(DOMAIN, [encodeRecord(forged)])), 'reject')
  t.equal(await send(encodeBatch({ ...DOMAIN, chainId: 5 }, [encodeRecord(job)])), 'ignore')
  t.equal(await send(Uint8Array.of(1, 2, 3)), 'reject')
  t.strictSame(b.replica.book.live('job').map(({ record }) => record.id), [job.id])
})

t.test('with loss, duplication and reordering, reconciliation makes all books equal', async (t) => {
  for (const seed of [1, 2, 3]) {
    const { network, clock, start, settle } = createWorld(t, seed)
    Object.assign(network.weather, { dropPercent: 40, duplicatePercent: 30 })
    const names = ['a', 'b', 'c', 'd']
    const peers = await Promise.all(names.map(async (name) => await start(name)))
    for (const [from, to] of [['a', 'b'], ['b', 'c'], ['c', 'd']] as const) network.connect(from, to)
    const random = createSeededRandom(seed)
    for (let step = 0; step < 60; step++) {
      const signer = testSigner(random.below(3))
      const record = signRecord(signer, random.below(4) === 0 ? 'cancel' : 'job', { slot: random.below(5), seq: clock.now() })
      await peers[random.below(4)]?.replica.publish(record).catch((error: { code: string }) => { if (error.code !== 'BOOK_NOT_ADMITTED') throw error })
      if (random.below(3) === 0) await settle()
      clock.advance(random.below(50))
    }
    await settle()
    for (let round = 0; round < 3; round++) for (const [from, to] of [['a', 'b'], ['b', 'c'], ['c', 'd']] as const) await peers[names.indexOf(from)]?.replica.reconcileNow(to, never)
    const [first, ...others] = peers.map(idsOf)
    for (const other of others) t.strictSame(other, first, `seed ${seed}`)
  }
})

t.test('a late joiner gets everything on connect, from the side that dialled, and status says so', async (t) => {
  const { network, clock, start } = createWorld(t)
  const [a, late] = [await start('a'), await start('late')]
  for (const record of jobs(450)) await a.replica.publish(record)
  await late.replica.publish(signRecord(testSigner(2), 'job'))
  network.connect('late', 'a')
  clock.advance(1)
  await until(() => late.replica.status().peers.length === 1)
  t.strictSame(idsOf(late), idsOf(a))
  t.equal(a.replica.book.size, 451, 'and gave what it had')
  t.match(late.replica.status(), { records: 451, peers: [{ peerId: 'a', equal: true, missing: 0, extra: 0, records: 451 }] })
})

t.test('while a joiner moves records, the side that was dialled sends nothing again; after that it compares', async (t) => {
  const { network, clock, start } = createWorld(t)
  const [a, late] = [await start('a'), await start('late')]
  for (const record of jobs(500)) await a.replica.publish(record)
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  let pages = 0
  a.mesh.tamper = async (_from, protocol, answer) => {
    if (protocol === RECORDS_PROTOCOL && ++pages === 2) await released
    return answer
  }
  const asked: string[] = []
  late.mesh.tamper = (_from, protocol, answer) => { asked.push(protocol); return answer }
  network.connect('late', 'a')
  clock.advance(1)
  await until(() => pages === 2)
  clock.advance(RECONCILE.inboundDelayMs)
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => { setImmediate(resolve) })
  t.strictSame(asked, [], 'no session of its own')
  release()
  await until(() => late.replica.status().peers[0]?.equal === true)
  clock.advance(2 * RECONCILE.inboundDelayMs)
  await until(() => a.replica.status().peers.length === 1)
  t.strictSame(asked, [RECONCILE_PROTOCOL], 'one round proves it')
  t.match(a.replica.status().peers, [{ peerId: 'late', equal: true }])
})

t.test('what gossip lost is found within a minute and a tenth', async (t) => {
  const { network, clock, start, settle } = createWorld(t)
  const [a, b] = [await start('a'), await start('b')]
  network.connect('a', 'b')
  clock.advance(RECONCILE.inboundDelayMs)
  await until(() => a.replica.status().peers.length + b.replica.status().peers.length === 2)
  network.weather.dropPercent = 100
  await a.replica.publish(signRecord(alice, 'job', { seq: clock.now() }))
  await settle()
  t.equal(b.replica.book.size, 0)
  // In steps: a session that begins on the way is not to find its time used up.
  for (let leftMs = RECONCILE.intervalMs * (1 + RECONCILE.jitter); leftMs > 0 && b.replica.book.size === 0; leftMs -= 1000) {
    clock.advance(1000)
    await settle()
  }
  await until(() => b.replica.book.size === 1)
  t.pass('found')
})

t.test('a restarted node has its book before it meets anyone, first-seen times included, and nothing that ended meanwhile', async (t) => {
  const { clock, start } = createWorld(t)
  const a = await start('a')
  const [one, other] = [signRecord(alice, 'job', { slot: 5 }), signRecord(alice, 'cancel', { slot: 5 })]
  await a.replica.publish(one)
  for (const record of jobs(3)) await a.replica.publish(record)
  await a.replica.publish(signRecord(testSigner(4), 'module'))
  await a.replica.publish(signRecord(alice, 'cancel', { seq: T0 + 1 }))
  await a.replica.publish(other)
  clock.advance(100)
  const killed = await start('a', new Map(a.data))
  t.strictSame(idsOf(killed), idsOf(a), 'without a clean stop')
  t.strictSame(killed.replica.book.live('job'), [], 'the freeze holds')
  t.equal(killed.replica.book.live('equivocation').length, 1)
  t.equal([...killed.replica.book.members()][0]?.firstSeenMs, T0)
  await a.replica.stop()
  t.equal(a.data.size, a.replica.book.size, 'what was superseded left the disk')
  const before = new Map(a.data)
  clock.advance(2 * 3_600_000)
  const later = await start('a', before)
  t.strictSame([...later.replica.book.members()].map(({ record }) => record.kind).sort(), ['equivocation', 'module'])
  await later.replica.stop()
  t.equal(before.size, 2, 'what ended left the disk')
})

t.test('what ends with the closing bucket is no difference', async (t) => {
  const { network, clock, start } = createWorld(t)
  const [a, b] = [await start('a'), await start('b')]
  await a.replica.publish(signRecord(alice, 'job'))
  clock.advance(3_600_000)
  t.equal(a.replica.book.size, 1, 'still held')
  network.connect('b', 'a')
  t.strictSame(await b.replica.reconcileNow('a', never), { received: 0, sent: 0 })
  t.match(b.replica.status().peers[0], { equal: true, records: 0 })
})

t.test('an own record that nobody would take is refused with the reason; a superseded one is quietly passed over', async (t) => {
  const { start } = createWorld(t)
  const { replica } = await start('a')
  await t.rejects(replica.publish(signRecord(alice, 'job', { seq: T0 + 60_000 })), { code: 'BOOK_NOT_ADMITTED', data: { code: 'BOOK_FUTURE' } })
  await replica.publish(signRecord(alice, 'job', { seq: T0 + 2 }))
  await replica.publish(signRecord(alice, 'job', { seq: T0 + 1 }))
  await replica.publish(signRecord(alice, 'job', { seq: T0 + 2 }))
  t.equal(replica.book.size, 1)
})

t.test('a lying peer: invalid, unasked and withheld records', async (t) => {
  const { network, start } = createWorld(t)
  const [a, liar] = [await start('a'), await start('liar')]
  for (const record of jobs(5)) await liar.replica.publish(record)
  network.connect('a', 'liar')
  const onRecords = (spoil: (answer: Uint8Array) => Uint8Array): Tamper => (_peer, protocol, answer) => protocol === RECORDS_PROTOCOL ? spoil(answer) : answer
  const forged = encodeRecord({ ...signRecord(alice, 'job'), signature: `0x${'33'.repeat(64)}` })

  liar.mesh.tamper = onRecords(() => encodeFetched([forged]))
  await t.rejects(a.replica.reconcileNow('liar', never), { code: 'BOOK_RECONCILE' })
  liar.mesh.tamper = onRecords(() => encodeFetched([encodeRecord(signRecord(testSigner(7), 'job'))]))
  await t.rejects(a.replica.reconcileNow('liar', never), { code: 'BOOK_RECONCILE' })
  liar.mesh.tamper = (_peer, protocol, answer) => protocol === RECONCILE_PROTOCOL ? Uint8Array.of(1, 2, 3) : answer
  await t.rejects(a.replica.reconcileNow('liar', never), { code: 'WIRE_MALFORMED' })
  liar.mesh.tamper = onRecords(() => encodeFetched([]))
  await a.replica.reconcileNow('liar', never)
  t.match(a.replica.status().peers[0], { equal: false, missing: 5 })
  liar.mesh.tamper = undefined
  t.strictSame(await a.replica.reconcileNow('liar', never), { received: 5, sent: 0 }, 'an honest answer later is taken')
})

t.test('a page that lies ends the session, and the pages asked for beside it are the last', async (t) => {
  const { network, start } = createWorld(t)
  const [a, liar] = [await start('a'), await start('liar')]
  for (const record of jobs(MAX_PAGE_RECORDS * 6)) await liar.replica.publish(record)
  let pages = 0
  liar.mesh.tamper = (_peer, protocol, answer) => protocol === RECORDS_PROTOCOL && ++pages === 1 ? encodeFetched([encodeRecord(signRecord(testSigner(7), 'job'))]) : answer
  network.connect('a', 'liar')
  await t.rejects(a.replica.reconcileNow('liar', never), { code: 'BOOK_RECONCILE' })
  t.equal(pages, RECONCILE.pagesAtOnce)
  t.ok(a.replica.book.size > 1, 'what stands by itself stays')
})

t.test('records are fetched while rounds still find more', async (t) => {
  const { network, clock, start } = createWorld(t)
  const [a, b] = [await start('a'), await start('b')]
  // More than one round can name.
  const count = 2500
  for (const record of jobs(count)) b.replica.book.merge(record, T0)
  const asked = Promise.withResolvers<undefined>()
  let rounds = 0
  b.mesh.tamper = async (_peer, protocol, answer) => {
    if (protocol === RECORDS_PROTOCOL) asked.resolve(undefined)
    // Digests, what one round names, and no more before a page is fetched.
    else if (++rounds > 2) await asked.promise
    return answer
  }
  network.connect('a', 'b')
  clock.advance(1)
  await until(() => a.replica.book.size === count)
  t.ok(rounds > 2)
  t.same(idsOf(a), idsOf(b))
})

t.test('a peer that names records and gives none is asked ever more rarely', async (t) => {
  const { network, clock, start, settle } = createWorld(t)
  const [a, liar] = [await start('a'), await start('liar')]
  for (const record of jobs(2)) await liar.replica.publish(record)
  await settle()
  let sessions = 0
  liar.mesh.tamper = (_peer, protocol, answer) => {
    if (protocol === RECONCILE_PROTOCOL) return answer
    sessions++
    return encodeFetched([])
  }
  // It never gets as far as pushing them, either.
  a.mesh.tamper = () => { throw new Error('not answered') }
  network.connect('a', 'liar')
  for (let step = 0; step < 120; step++) {
    clock.advance(10_000)
    for (let turn = 0; turn < 30; turn++) await new Promise((resolve) => { setImmediate(resolve) })
  }
  t.ok(sessions >= 4 && sessions < 14, `${sessions} sessions in 20 minutes`)
  t.ok(a.replica.book.size === 0)
})

t.test('a stalling peer holds nothing: the request times out, stop waits for no one', async (t) => {
  const { network, clock, start } = createWorld(t)
  const [a, slow] = [await start('a'), await start('slow')]
  slow.mesh.tamper = async () => await new Promise(() => undefined)
  network.connect('a', 'slow')
  const session = a.replica.reconcileNow('slow', never)
  await until(() => true)
  clock.advance(RECONCILE.requestTimeoutMs)
  await t.rejects(session, { code: 'BOOK_TIMEOUT' })
  const controller = new AbortController()
  const aborted = a.replica.reconcileNow('slow', controller.signal)
  controller.abort(new Error('no longer wanted'))
  await t.rejects(aborted, { message: 'no longer wanted' })
  const stopped = a.replica.reconcileNow('slow', never)
  await Promise.all([t.rejects(stopped, { code: 'BOOK_STOPPED' }), a.replica.stop()])
})

t.test('an invalid record pushed to us ends the stream, the valid ones before it stay', async (t) => {
  const { network, start } = createWorld(t)
  const b = await start('b')
  const liar = network.node('liar')
  network.connect('liar', 'b')
  const good = signRecord(alice, 'job')
  const pages = createPages({ requests: liar.requests, domain: DOMAIN }, { peer: 'b', onBytes: () => undefined })
  const records = [encodeRecord(good), encodeRecord({ ...signRecord(alice, 'job', { slot: 1 }), signature: good.signature })]
  await t.rejects(pages.ask({ type: 'push', records }), { code: 'BOOK_RECONCILE', data: { remote: true } })
  t.strictSame(b.replica.book.ids(), [good.id])
})
