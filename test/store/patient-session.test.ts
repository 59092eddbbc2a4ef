import { createHash } from 'node:crypto'
import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'
import t from 'tap'
import { silentLogger as logger } from '../../src/core/logger.ts'
import { createPatientSession } from '../../src/store/patient-session.ts'
import { collect } from '../../src/store/verified-blockstore.ts'

type Components = Parameters<typeof createPatientSession>[0]
type Get = Components['all']['get']
const block = (content: string): { cid: CID, bytes: Uint8Array } => {
  const bytes = new TextEncoder().encode(content)
  return { cid: CID.createV1(0x55, create(0x12, new Uint8Array(createHash('sha256').update(bytes).digest()))), bytes }
}
const blocks = ['one', 'two', 'three'].map(block)
const [one, two] = blocks as [typeof blocks[0], typeof blocks[0]]

/** Who was asked for what, and what came back. The session is a fake: the real one misses an answer only when it is unlucky. */
function setUp (sessionGet: Get): { get: (cid: CID, signal?: AbortSignal) => Promise<Uint8Array>, asked: string[] } {
  const asked: string[] = []
  const get: Get = async function * (cid) {
    asked.push('all')
    yield blocks.find((each) => each.cid.equals(cid))?.bytes ?? new Uint8Array()
  }
  const session: Get = async function * (cid, options) {
    asked.push('session')
    yield * sessionGet(cid, options)
  }
  const store = createPatientSession({ session: { get: session }, all: { get, put: async (cid) => cid, has: async () => false } as Components['all'], logger })
  return { asked, get: async (cid, signal) => await collect(store.get(cid, signal === undefined ? {} : { signal })) }
}
// A timeout alone does not keep a process alive, and here is no node that would.
const alive = setInterval(() => undefined, 1000)
t.teardown(() => { clearInterval(alive) })
/** Says nothing until it is given up. */
const silent: Get = async function * (_cid, options) {
  await new Promise((_resolve, reject) => { options?.signal?.addEventListener('abort', () => { reject(options.signal?.reason as Error) }) })
  yield new Uint8Array()
}

t.test('what the session brings is taken from it', async (t) => {
  const { get, asked } = setUp(async function * () { yield one.bytes })
  t.same(await get(one.cid), one.bytes)
  t.same(asked, ['session'])
})

t.test('a session that says nothing is not waited for: that block and the next ones come from all peers', async (t) => {
  const { get, asked } = setUp(silent)
  t.same(await get(one.cid), one.bytes)
  t.same(await get(two.cid), two.bytes)
  t.same(asked, ['session', 'all', 'all'])
})

t.test('a fetch that was given up asks nobody else', async (t) => {
  const { get, asked } = setUp(silent)
  const leaving = new AbortController()
  const fetching = get(one.cid, leaving.signal)
  leaving.abort(new Error('not wanted'))
  await t.rejects(fetching, { message: 'not wanted' })
  t.same(asked, ['session'])
})
