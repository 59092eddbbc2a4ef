import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import type { Anvil } from '../../src/chain/anvil.ts'
import { createMiner } from '../../src/chain/miner.ts'
import { SUPERVISOR_TUNING } from '../../src/chain/options.ts'
import { createManualClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'

/** An anvil that takes all transactions but `unincludable` ones into each block, and counts what it is asked. */
function fakeAnvil (): { anvil: Anvil, pool: { pending: number, unincludable: number }, counts: { blocks: number, dumps: number }, dumping: { until: Promise<void> } } {
  const pool = { pending: 0, unincludable: 0 }
  const counts = { blocks: 0, dumps: 0 }
  const dumping = { until: Promise.resolve() }
  const call = async (method: string): Promise<unknown> => {
    if (method === 'txpool_status') return { pending: `0x${pool.pending.toString(16)}` }
    if (method === 'evm_mine') { counts.blocks++; pool.pending = Math.min(pool.pending, pool.unincludable); return '0x0' }
    if (method === 'anvil_dumpState') { counts.dumps++; await dumping.until; return '0x00' }
    throw new Error(method)
  }
  return { anvil: { pid: 1, rpc: { call, close: () => undefined }, ended: new Promise(() => undefined), stop: async () => undefined }, pool, counts, dumping }
}

function setUp (): ReturnType<typeof fakeAnvil> & { saved: number[], pass: (ms: number) => Promise<void>, stop: () => Promise<void> } {
  const clock = createManualClock()
  const fake = fakeAnvil()
  const saved: number[] = []
  const snapshots = { save: async (bytes: Uint8Array) => { saved.push(bytes.length) }, list: async () => [], withUnpacked: async () => undefined }
  const miner = createMiner({ clock, logger: silentLogger, snapshots, anvil: () => fake.anvil }, SUPERVISOR_TUNING)
  miner.start()
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += SUPERVISOR_TUNING.pollMs) { await turn(); clock.advance(SUPERVISOR_TUNING.pollMs) }
    await turn()
  }
  return { ...fake, saved, pass, stop: miner.stop }
}

t.test('waiting transactions are mined at the next poll, and a snapshot follows once', async (t) => {
  const { pool, counts, saved, pass, stop } = setUp()
  pool.pending = 3
  await pass(40)
  t.same({ ...counts, pending: pool.pending }, { blocks: 1, dumps: 0, pending: 0 })
  await pass(1000)
  t.equal(saved.length, 1)
  await pass(5000)
  t.equal(saved.length, 1, 'heartbeats alone are not worth a dump every second')
  await pass(30_000)
  t.equal(saved.length, 2)
  await stop()
})

t.test('a transaction that no block takes does not become a block every poll, nor hold up others', async (t) => {
  const { pool, counts, pass, stop } = setUp()
  pool.pending = 1
  pool.unincludable = 1
  await pass(10_000)
  t.ok(counts.blocks > 5 && counts.blocks < 25, `${counts.blocks} blocks in 10 s`)
  const before = counts.blocks
  pool.pending = 2
  await pass(40)
  t.equal(pool.pending, 1)
  t.ok(counts.blocks - before <= 2, // the other may be a heartbeat
    `${counts.blocks - before} blocks for the one that came`)
  await stop()
})

t.test('the heartbeat is one a second in use and one a minute on a quiet chain', async (t) => {
  const { pool, counts, pass, stop } = setUp()
  pool.pending = 1
  await pass(60_000)
  t.ok(counts.blocks >= 58 && counts.blocks <= 61, `${counts.blocks} blocks in the first minute`)
  await pass(SUPERVISOR_TUNING.quietAfterMs)
  const before = counts.blocks
  await pass(300_000)
  t.ok(counts.blocks - before >= 4 && counts.blocks - before <= 6, `${counts.blocks - before} blocks in five quiet minutes`)
  await stop()
})

t.test('no block comes while a snapshot is taken: it would be in the state and not among the blocks', async (t) => {
  const { pool, counts, dumping, saved, pass, stop } = setUp()
  const taken = Promise.withResolvers<void>()
  dumping.until = taken.promise
  pool.pending = 1
  await pass(1100)
  t.equal(counts.dumps, 1)
  const { blocks } = counts
  pool.pending = 1
  await pass(3000)
  t.equal(counts.blocks, blocks)
  taken.resolve()
  await pass(100)
  t.same([counts.blocks, pool.pending, saved.length], [blocks + 1, 0, 1])
  await stop()
})

t.test('stopping writes a last snapshot', async (t) => {
  const { saved, stop } = setUp()
  await stop()
  t.equal(saved.length, 1)
})
