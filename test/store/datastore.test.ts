import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { silentLogger as logger } from '../../src/core/logger.ts'
import { createDatastore, toStoreError, type Datastore, type InterfaceDatastore } from '../../src/store/datastore.ts'

/** All that LevelDB needs of libp2p's key class. */
const key = (name: string): Parameters<InterfaceDatastore['put']>[0] => ({ toString: () => name }) as Parameters<InterfaceDatastore['put']>[0]
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value)
async function open (t: { teardown: (task: () => Promise<void>) => void }, path: string): Promise<Datastore> {
  const store = createDatastore({ logger }, { path })
  t.teardown(async () => { await store.stop() })
  await store.start()
  return store
}
async function list (store: Datastore, prefix: string): Promise<string[]> {
  const found: string[] = []
  for await (const [key, value] of store.entries(prefix)) found.push(`${key}=${new TextDecoder().decode(value)}`)
  return found
}

t.test('values survive a restart; batches are applied in order; entries come by prefix in order', async (t) => {
  const path = join(t.testdir(), 'deep', 'ds')
  const store = await open(t, path)
  await store.put('b/2', bytes('two'), { sync: true })
  await store.batch([{ put: ['b/1', bytes('one')] }, { put: ['b/é', bytes('acute')] }, { put: ['c', bytes('x')] }, { put: ['b/3', bytes('gone')] }, { delete: 'b/3' }], { sync: true })
  t.equal(await store.get('b/3'), undefined)
  t.same(await list(store, 'b/'), ['b/1=one', 'b/2=two', 'b/é=acute'])
  await store.delete('c')
  await store.stop()
  await store.stop()
  const again = await open(t, path)
  t.same(await list(again, ''), ['b/1=one', 'b/2=two', 'b/é=acute'])
})

t.test('libp2p\'s keys and ours do not meet', async (t) => {
  const store = await open(t, join(t.testdir(), 'ds'))
  await store.put('/peers/x', bytes('ours'))
  await store.interface.put(key('/peers/x'), bytes('theirs'))
  t.same(await store.get('/peers/x'), bytes('ours'))
  t.same(await store.interface.get(key('/peers/x')), bytes('theirs'))
  t.same(await list(store, ''), ['/peers/x=ours'])
})

t.test('a damaged write-ahead log is not taken for a shorter one: refused until its owner decides', async (t) => {
  const path = join(t.testdir(), 'ds')
  const store = await open(t, path)
  for (let n = 0; n < 500; n++) await store.put(`k/${n}`, new Uint8Array(200).fill(n))
  await store.stop()
  const log = join(path, readdirSync(path).find((name) => name.endsWith('.log')) ?? '')
  writeFileSync(log, readFileSync(log).fill(7, 40_000, 42_000))
  const damaged = createDatastore({ logger }, { path })
  t.teardown(damaged.stop)
  await t.rejects(damaged.start(), { code: 'STORE_CORRUPT', message: /dropping \d+ bytes/, data: { mark: join(path, 'DAMAGED') } })
  await t.rejects(damaged.start(), { code: 'STORE_CORRUPT' }, 'also when LevelDB has forgotten it')
  rmSync(join(path, 'DAMAGED'))
  await damaged.start()
  const left = (await list(damaged, 'k/')).length
  t.ok(left > 100 && left < 500, `${left} of 500 are left`)
})

t.test('what was written with sync is there after the process was killed', async (t) => {
  const path = join(t.testdir(), 'ds')
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', `
    const { createDatastore } = await import(${JSON.stringify(join(import.meta.dirname, '../../src/store/datastore.ts'))})
    const { silentLogger } = await import(${JSON.stringify(join(import.meta.dirname, '../../src/core/logger.ts'))})
    const store = createDatastore({ logger: silentLogger }, { path: ${JSON.stringify(path)} })
    await store.start()
    await store.put('seq', new Uint8Array([7]), { sync: true })
    process.kill(process.pid, 'SIGKILL')`], { timeout: 20_000 })
  t.equal(child.signal, 'SIGKILL')
  const store = await open(t, path)
  t.same(await store.get('seq'), new Uint8Array([7]))
})

t.test('a second node on the folder is refused', async (t) => {
  const path = join(t.testdir(), 'ds')
  await open(t, path)
  await t.rejects(open(t, path), { code: 'STORE_LOCKED', hint: /own data folder/ })
})

t.test('an unknown version and a foreign database are refused', async (t) => {
  const path = join(t.testdir(), 'ds')
  const store = await open(t, path)
  await store.put('~version', bytes('2'))
  await store.stop()
  await t.rejects(open(t, path), { code: 'STORE_VERSION', data: { found: '2', known: 1 } })
  const foreign = join(t.testdir(), 'foreign')
  const { LevelDatastore } = await import('datastore-level')
  const other = new LevelDatastore(foreign)
  await other.open()
  await other.put(key('/x'), bytes('x'))
  await other.close()
  await t.rejects(open(t, foreign), { code: 'STORE_VERSION' })
})

t.test('a damaged database and an unusable path are named', async (t) => {
  const path = join(t.testdir(), 'ds')
  const store = await open(t, path)
  await store.put('a', bytes('b'))
  await store.stop()
  for (const name of readdirSync(path)) if (name.startsWith('MANIFEST') || name === 'CURRENT') writeFileSync(join(path, name), 'garbage')
  await t.rejects(open(t, path), { code: 'STORE_CORRUPT' })
  const file = join(t.testdir({ file: 'x' }), 'file')
  await t.rejects(open(t, file), { code: 'STORE_IO' })
})

t.test('errors of LevelDB are told apart wherever the reason stands', async (t) => {
  const wrap = (cause: Error): Error => new Error('Database failed', { cause })
  t.equal(toStoreError(wrap(new Error('IO error: /x/000003.log: No space left on device')), '/x').code, 'STORE_FULL')
  t.equal(toStoreError(Object.assign(new Error('write'), { code: 'ENOSPC' }), '/x').code, 'STORE_FULL')
  t.equal(toStoreError(Object.assign(new Error('x'), { code: 'LEVEL_CORRUPTION' }), '/x').code, 'STORE_CORRUPT')
  t.equal(toStoreError('odd', '/x').code, 'STORE_IO')
})

t.test('a closed datastore says so', async (t) => {
  const store = createDatastore({ logger }, { path: join(t.testdir(), 'ds') })
  await t.rejects(store.get('x'), { code: 'STORE_CLOSED' })
  t.throws(() => store.interface, { code: 'STORE_CLOSED' })
})
