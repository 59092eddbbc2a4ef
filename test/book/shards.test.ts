import fc from 'fast-check'
import t from 'tap'
import { createBook, type Book } from '../../src/book/book.ts'
import { GOSSIP, type BookOptions } from '../../src/book/options.ts'
import { createBookReplica, type BookReplica } from '../../src/book/replica.ts'
import { createManualClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { createSeededRandom } from '../../src/core/random.ts'
import type { SignedRecord } from '../../src/wire/record.ts'
import { COMMON_SHARD, marketShard, recordShard, slotAt } from '../../src/wire/shard.ts'
import { createMemoryDatastore } from '../support/memory-datastore.ts'
import { createMemoryNetwork, type MemoryMesh, type Tamper } from '../support/memory-mesh.ts'
import { DOMAIN, GPU_JOB, jobBody, signRecord, T0, testSigner } from '../support/records.ts'

const RENDER = marketShard('render', 'cpu')
const SHARDS = [0, 1, RENDER]
const BODIES = new Map([[0, jobBody()], [1, GPU_JOB], [RENDER, jobBody({ market: 'render' })]])
const NOW = T0 + 5000
const never = new AbortController().signal
const [alice, bob] = [testSigner(1), testSigner(2)]

/** A job in a shard. */
function jobIn (shard: number, signer = alice, options: { place?: number, seq?: number, limit?: number } = {}): SignedRecord {
  const { place = 0, seq = T0, limit = 1 } = options
  return signRecord(signer, 'job', { slot: slotAt(shard, place), seq, body: { ...BODIES.get(shard), limit } })
}
const bookOf = (records: Iterable<SignedRecord>, options: Partial<BookOptions>): Book => {
  const book = createBook({ domain: DOMAIN }, options)
  for (const record of records) book.merge(record, NOW)
  return book
}
const idsIn = (book: Book, shard: number): string[] => [...book.members(shard)].map(({ record }) => record.id).sort()
const liveIn = (book: Book, shard: number): string[] => book.live('job').filter(({ record }) => recordShard(record) === shard).map(({ record }) => record.id).sort()
const records = (book: Book): SignedRecord[] => [...book.members()].map(({ record }) => record)

/** Few authors and places, so that they meet: updates, cancels, and two statements of one seq. */
const POOL = [1, 2, 3, 4, 5].map(testSigner).flatMap((signer, author) => SHARDS.flatMap((shard) => [
  jobIn(shard, signer), jobIn(shard, signer, { seq: T0 + 1000 }), signRecord(signer, 'cancel', { slot: slotAt(shard, 0), seq: T0 + 2000 }), jobIn(shard, signer, { place: 1 }),
  ...(author < 2 ? [jobIn(shard, signer, { limit: 7 })] : [])
]))

t.test('replicas that exchange what they hold agree on every shard they share, whatever else they follow, frozen authors and a full book included', async (t) => {
  const follows = fc.subarray(SHARDS, { minLength: 1 })
  const part = fc.record({ shards: follows, seen: fc.subarray(POOL) })
  let shared = 0
  let frozen = 0
  fc.assert(fc.property(fc.array(part, { minLength: 2, maxLength: 4 }), fc.constantFrom(2, 3, 100), (parts, maxRegisters) => {
    const options = { maxRegisters, weight: (account: string) => account === alice.address ? 1 : 0, maxFree: Math.max(1, maxRegisters - 1) }
    let books = parts.map(({ shards, seen }) => bookOf(seen, { ...options, shards }))
    // The first exchange may reveal conflicts that nobody had seen.
    for (let round = 0; round < 2; round++) books = parts.map(({ shards }, index) => bookOf([...books.slice(index), ...books.slice(0, index)].flatMap(records), { ...options, shards }))
    for (const [index, one] of books.entries()) {
      for (const other of books.slice(0, index)) {
        for (const shard of one.shards.filter((each) => other.shards.includes(each))) {
          shared++
          frozen += idsIn(one, COMMON_SHARD).length
          t.strictSame(idsIn(one, shard), idsIn(other, shard))
          // A full shard keeps the same records. Who is frozen, both know.
          t.strictSame(liveIn(one, shard), liveIn(other, shard))
        }
      }
    }
  }), { numRuns: 150, seed: 7 })
  t.ok(shared > 300 && frozen > 100, `${shared} shards compared, ${frozen} proofs`)
})

t.test('a book holds what it follows, and modules', async (t) => {
  const book = bookOf([], { shards: [1] })
  t.strictSame(book.shards, [1, COMMON_SHARD])
  t.equal(book.merge(jobIn(0), NOW), 'unfollowed')
  t.equal(book.merge(jobIn(1), NOW), 'added')
  t.equal(book.merge(signRecord(alice, 'module'), NOW), 'added')
  t.equal(book.size, 2)
  t.strictSame([idsIn(book, 0).length, idsIn(book, 1).length, idsIn(book, COMMON_SHARD).length], [0, 1, 1])
})

t.test('a shard that is full displaces nothing in another', async (t) => {
  const many = (shard: number): SignedRecord[] => Array.from({ length: 30 }, (_, n) => jobIn(shard, testSigner(50 + n)))
  const book = bookOf([...many(0), ...many(1), ...many(RENDER).slice(0, 4)], { shards: SHARDS, maxRegisters: 10, maxFree: 10 })
  t.strictSame(SHARDS.map((shard) => idsIn(book, shard).length), [10, 10, 4])
  t.strictSame(idsIn(book, 0), idsIn(bookOf(many(0).reverse(), { shards: [0], maxRegisters: 10, maxFree: 10 }), 0))
  t.equal(book.fullest, 10)
})

t.test('only a change of a shard changes its version', async (t) => {
  const book = bookOf([jobIn(0)], { shards: SHARDS })
  const before = SHARDS.map(book.versionOf)
  book.merge(jobIn(1), NOW)
  t.strictSame(SHARDS.map(book.versionOf).map((version, index) => version === before[index]), [true, false, true])
})

interface Peer { replica: BookReplica, mesh: MemoryMesh & { tamper: Tamper | undefined }, data: Map<string, Uint8Array> }
function createWorld (test: { teardown: (stop: () => Promise<void>) => void }): { network: ReturnType<typeof createMemoryNetwork>, clock: ReturnType<typeof createManualClock>, start: (name: string, shards: number[], data?: Map<string, Uint8Array>) => Promise<Peer>, settle: () => Promise<void> } {
  const network = createMemoryNetwork(createSeededRandom(1))
  const clock = createManualClock(T0)
  return {
    network,
    clock,
    start: async (name, shards, data = new Map()) => {
      const mesh = network.node(name)
      const replica = createBookReplica({ mesh, datastore: createMemoryDatastore(data), clock, logger: silentLogger, domain: DOMAIN, random: createSeededRandom(1) }, { secret: new Uint8Array(32), shards })
      await replica.start()
      test.teardown(replica.stop)
      return { replica, mesh, data }
    },
    settle: async () => {
      clock.advance(GOSSIP.flushMs)
      await new Promise((resolve) => { setImmediate(resolve) })
      await network.idle()
    }
  }
}

t.test('gossip and reconciliation bring each node its own shards, and say which are not shared', async (t) => {
  const { network, start, settle } = createWorld(t)
  const [all, cpu, gpu] = [await start('all', SHARDS), await start('cpu', [0]), await start('gpu', [1])]
  network.connect('cpu', 'all')
  network.connect('gpu', 'all')
  network.connect('cpu', 'gpu')
  await settle()
  for (const [signer, shard] of [[bob, 0], [bob, 1], [bob, RENDER]] as const) await all.replica.publish(jobIn(shard, signer))
  await all.replica.publish(signRecord(bob, 'module'))
  await settle()
  t.strictSame([cpu, gpu].map(({ replica }) => [...replica.book.members()].map(({ record }) => recordShard(record)).sort()), [[0, COMMON_SHARD], [1, COMMON_SHARD]], 'by gossip')
  t.ok(network.verdicts.every(({ verdict }) => verdict === 'accept'))
  network.weather.dropPercent = 100
  await all.replica.publish(jobIn(0))
  await settle()
  t.strictSame(await cpu.replica.reconcileNow('all', never), { received: 1, sent: 0 })
  t.match(cpu.replica.status().peers.find(({ peerId }) => peerId === 'all'), { equal: true, records: 3, differing: [], unshared: [] })
  t.strictSame(await all.replica.reconcileNow('cpu', never), { received: 0, sent: 0 })
  t.match(all.replica.status().peers.find(({ peerId }) => peerId === 'cpu'), { equal: true, records: 3, unshared: SHARDS.slice(1) })
  t.strictSame(await cpu.replica.reconcileNow('gpu', never), { received: 0, sent: 0 })
  t.match(cpu.replica.status().peers.find(({ peerId }) => peerId === 'gpu'), { equal: true, records: 1, unshared: [0] })
  await t.rejects(gpu.replica.publish(jobIn(0, bob, { place: 5 })), { code: 'BOOK_NOT_ADMITTED', data: { code: 'BOOK_SHARD' }, hint: /--markets/ })
})

t.test('shards that differ are named, and more of them than one round holds are all compared', async (t) => {
  const { network, start } = createWorld(t)
  const markets = Array.from({ length: 40 }, (_, n) => `market-${n}`)
  const shards = [...new Set(markets.map((market) => marketShard(market, 'cpu')))]
  t.ok(shards.length > 16)
  const [a, b] = [await start('a', shards), await start('b', [...shards, 0])]
  for (const [index, market] of markets.entries()) {
    const record = signRecord(alice, 'job', { slot: slotAt(marketShard(market, 'cpu'), index), body: jobBody({ market }) })
    await (index % 2 === 0 ? a : b).replica.publish(record)
  }
  network.connect('b', 'a')
  a.mesh.tamper = (_peer, protocol, answer) => protocol.includes('records') ? Uint8Array.of(0x82, 0x01, 0x80) : answer
  await b.replica.reconcileNow('a', never)
  t.match(b.replica.status().peers[0], { equal: false, missing: 20, extra: 20, unshared: [0] })
  t.strictSame(b.replica.status().peers[0]?.differing, [...shards].sort((x, y) => x - y))
  a.mesh.tamper = undefined
  // What was pushed has arrived: only the answer was lost.
  t.strictSame(await b.replica.reconcileNow('a', never), { received: 20, sent: 0 })
  t.match(b.replica.status().peers[0], { equal: true, records: 40, differing: [] })
  t.strictSame(a.replica.book.ids().sort(), b.replica.book.ids().sort())
})

t.test('a proof freezes its author also where the conflict is not followed', async (t) => {
  const { network, start, settle } = createWorld(t)
  const [all, cpu] = [await start('all', SHARDS), await start('cpu', [0])]
  network.connect('cpu', 'all')
  await all.replica.publish(jobIn(0))
  await settle()
  t.equal(cpu.replica.book.live('job').length, 1)
  await all.replica.publish(jobIn(1))
  await all.replica.publish(jobIn(1, alice, { limit: 7 }))
  await settle()
  t.strictSame(cpu.replica.book.live('job'), [])
  t.equal(cpu.replica.book.live('equivocation').length, 1)
  t.strictSame(idsIn(cpu.replica.book, 0), idsIn(all.replica.book, 0))
})

t.test('a node that follows less after a restart drops the rest, on disk too', async (t) => {
  const { start } = createWorld(t)
  const before = await start('a', SHARDS)
  for (const shard of SHARDS) await before.replica.publish(jobIn(shard))
  await before.replica.publish(signRecord(alice, 'module'))
  await before.replica.stop()
  t.equal(before.data.size, 4)
  const after = await start('a', [1], before.data)
  t.strictSame([...after.replica.book.members()].map(({ record }) => recordShard(record)).sort(), [1, COMMON_SHARD])
  await after.replica.stop()
  t.equal(after.data.size, 2)
})
