import t, { type Test } from 'tap'
import { PAGE_RATE, RECONCILE } from '../../../src/book/options.ts'
import { createPages } from '../../../src/book/pages.ts'
import { bucketOf } from '../../../src/book/lifetime.ts'
import { firstFrame } from '../../../src/book/negentropy.ts'
import { createItemSet } from '../../../src/book/negentropy-items.ts'
import { errorCode } from '../../../src/core/errors.ts'
import { decodePageQuery, decodeRoundQuery, encodeDigestAnswer, encodeFetched, encodeFramesAnswer, encodePageQuery, encodePushed, encodeRoundQuery, MAX_RECONCILE_BYTES, MAX_ROUND_BYTES, RECONCILE_PROTOCOL, RECORDS_PROTOCOL } from '../../../src/wire/reconcile.ts'
import { encodeRecord, type SignedRecord } from '../../../src/wire/record.ts'
import { DOMAIN, signRecord, testSigner } from '../../support/records.ts'
import { befriend, idsOf, keepApart, scoreOf, soon, startAttacker, startClock, startHonest, startScene, until, type Attacker, type Honest } from './attacker.ts'
import { END_OF_SET, listOf } from './frames.ts'

const alice = testSigner(1)
const mallory = testSigner(66)
const LIMITS = { maxBytes: MAX_RECONCILE_BYTES, perPeerPerSecond: 10_000, concurrency: 1_000, timeoutMs: 60_000 }
const jobs = (count: number): SignedRecord[] => Array.from({ length: count }, (_, slot) => signRecord(alice, 'job', { slot }))
const never = async (): Promise<Uint8Array> => await new Promise(() => undefined)

/** What all these attacks are on. */
const SHARD = 0
/** Has the attacker say that one shard differs, and answer frames and pages as it likes. */
function serve (attacker: Attacker, round: () => Promise<Uint8Array>, page: (payload: Uint8Array) => Promise<Uint8Array>): { rounds: () => number, stop: () => void } {
  let rounds = 0
  const stops = [
    attacker.mesh.requests.serve(RECONCILE_PROTOCOL, LIMITS, async (payload) => {
      const { type, shards } = decodeRoundQuery(DOMAIN, payload)
      if (type === 'digests') return encodeDigestAnswer({ equal: shards.map(([shard]) => shard).filter((shard) => shard !== SHARD), differing: [SHARD] })
      rounds++
      return await round()
    }),
    attacker.mesh.requests.serveStream(RECORDS_PROTOCOL, { ...LIMITS, maxFrameBytes: MAX_RECONCILE_BYTES }, async (stream) => { for await (const query of stream) await stream.send(await page(query)) })
  ]
  return { rounds: () => rounds, stop: () => { for (const stop of stops) stop() } }
}
const codeOf = async (session: Promise<unknown>): Promise<string> => await session.then(() => 'done', errorCode)

/** Whatever the attacker did, the victim and the bystander become equal. */
async function assertEqualBooks (t: Pick<Test, 'strictSame' | 'equal'>, victim: Honest, bystander: Honest, size: number): Promise<void> {
  await victim.replica.reconcileNow(bystander.mesh.peerId, soon())
  t.equal(victim.replica.book.size, size)
  t.strictSame(idsOf(victim), idsOf(bystander))
}

t.test('a peer that lies gets nothing in: forged, unasked, invented and unreadable answers end the session', async (t) => {
  const { victim, bystander, attacker } = await startScene(t)
  for (const record of jobs(5)) await bystander.replica.publish(record)
  const named = listOf([signRecord(mallory, 'job'), signRecord(mallory, 'offer', { slot: 1 })])
  const forged = encodeRecord({ ...signRecord(mallory, 'job'), signature: `0x${'33'.repeat(64)}` })
  const unasked = encodeRecord(signRecord(testSigner(7), 'job'))
  const naming = async (): Promise<Uint8Array> => encodeFramesAnswer([[SHARD, named]])
  const lies: Array<[string, string, () => Promise<Uint8Array>, () => Promise<Uint8Array>]> = [
    ['forged records', 'BOOK_RECONCILE', naming, async () => encodeFetched([forged])],
    ['records not asked for', 'BOOK_RECONCILE', naming, async () => encodeFetched([unasked])],
    ['bytes that are no page', 'WIRE_MALFORMED', naming, async () => new Uint8Array(300).fill(0xff)],
    ['bytes that are no frame', 'BOOK_RECONCILE', async () => encodeFramesAnswer([[SHARD, new Uint8Array([0x61, ...Array.from({ length: 90 }, () => 0xff)])]]), never],
    ['an answer beyond the limit', 'MESH_RESPONSE_TOO_LARGE', async () => new Uint8Array(MAX_ROUND_BYTES + 1), never],
    ['ids of nothing', 'done', naming, async () => encodeFetched([])]
  ]
  for (const [what, code, round, page] of lies) {
    const served = serve(attacker, round, page)
    t.match(await codeOf(victim.replica.reconcileNow(attacker.mesh.peerId, soon())), code, what)
    served.stop()
  }
  t.notOk(victim.replica.status().peers.find(({ peerId }) => peerId === attacker.mesh.peerId)?.equal, 'it does not count as an equal')
  // The record that nobody asked for is genuine: whoever brings such a one, it may be held.
  await assertEqualBooks(t, victim, bystander, 6)
})

t.test('a peer that stalls, in a round or in a page, holds up its own session only, and that for ten seconds', async (t) => {
  const { victim, bystander, attacker } = await startScene(t)
  const named = encodeFramesAnswer([[SHARD, listOf([signRecord(mallory, 'job')])]])
  let size = 0
  for (const round of [never, async () => named]) {
    await bystander.replica.publish(signRecord(alice, 'job', { slot: size++ }))
    let asked = false
    const served = serve(attacker, async () => { asked = round === never; return await round() }, async () => { asked = true; return await never() })
    const stalled = codeOf(victim.replica.reconcileNow(attacker.mesh.peerId, soon()))
    await until('the attacker is asked', () => asked)
    await assertEqualBooks(t, victim, bystander, size)
    victim.clock.advance(10_000)
    t.equal(await stalled, 'BOOK_TIMEOUT')
    served.stop()
  }
})

t.test('a peer that never comes to an end is left after 32 rounds', async (t) => {
  const { victim, bystander, attacker } = await startScene(t)
  for (const record of jobs(3)) await bystander.replica.publish(record)
  // "Something between the beginning and the end differs", for ever.
  const served = serve(attacker, async () => encodeFramesAnswer([[SHARD, new Uint8Array([0x61, ...END_OF_SET, 1, ...Array.from({ length: 16 }, () => 7)])]]), async () => encodePushed([]))
  await victim.replica.reconcileNow(attacker.mesh.peerId, soon())
  t.equal(served.rounds(), 32)
  t.notOk(victim.replica.status().peers.find(({ peerId }) => peerId === attacker.mesh.peerId)?.equal)
  await assertEqualBooks(t, victim, bystander, 3)
})

t.test('a peer that asks for everything again and again is refused, then cut off', async (t) => {
  const { victim, bystander, attacker } = await startScene(t)
  for (const record of jobs(3)) await bystander.replica.publish(record)
  const round = encodeRoundQuery(DOMAIN, { bucket: bucketOf(victim.clock.now()), type: 'frames', shards: [[SHARD, firstFrame(createItemSet([]))]] })
  const ids = jobs(3).map(({ id }) => id)
  const askRound = async (): Promise<string> => await codeOf(attacker.mesh.requests.request(victim.mesh.peerId, RECONCILE_PROTOCOL, round, { signal: soon(), maxBytes: MAX_RECONCILE_BYTES }))
  /** Each page on a stream of its own. */
  const askPage = async (): Promise<string> => {
    const pages = createPages({ requests: attacker.mesh.requests, domain: DOMAIN }, { peer: victim.mesh.peerId, onBytes: () => undefined })
    const giveUp = (): void => { pages.abort(new Error('on to the next')) }
    soon().addEventListener('abort', giveUp)
    const answer = await codeOf(pages.ask({ type: 'fetch', ids }))
    giveUp()
    return answer
  }
  const answers: string[] = []
  while (scoreOf(victim, attacker.mesh.peerId) !== undefined && answers.length < 5_000) {
    answers.push(...await Promise.all(Array.from({ length: 100 }, async (_, n) => n % 2 === 0 ? await askRound() : await askPage())))
  }
  t.ok(answers.includes('MESH_RATE_LIMITED'), 'it was told')
  t.equal(scoreOf(victim, attacker.mesh.peerId), undefined, 'and then cut off')
  t.equal(await askRound(), 'MESH_UNREACHABLE', 'and kept out')
  await assertEqualBooks(t, victim, bystander, 3)
})

t.test('a peer that asks for page after page without waiting for answers is refused, and what it sent is let go', async (t) => {
  const { victim, bystander, attacker } = await startScene(t)
  const [record] = jobs(1) as [SignedRecord]
  await bystander.replica.publish(record)
  const stream = await attacker.mesh.requests.openStream(victim.mesh.peerId, RECORDS_PROTOCOL, { signal: soon(), maxFrameBytes: MAX_RECONCILE_BYTES })
  let answers = 0
  const read = (async () => { for await (const _ of stream) answers++ })()
  read.catch(() => undefined)
  const before = scoreOf(victim, attacker.mesh.peerId) ?? 0
  const query = encodePageQuery(DOMAIN, { type: 'fetch', ids: [record.id] })
  // Above the rate, the victim answers later, and time stands still here.
  for (let sent = 0; sent < 1000; sent++) stream.send(query).catch(() => undefined)
  t.equal(await codeOf(read), 'MESH_PROTOCOL')
  t.ok(answers <= PAGE_RATE.burst, `${answers} answers`)
  t.ok((scoreOf(victim, attacker.mesh.peerId) ?? -Infinity) < before)
  await assertEqualBooks(t, victim, bystander, 1)
})

t.test('a peer that keeps requests open without sending them takes no place from others', async (t) => {
  const { victim, bystander, attacker } = await startScene(t)
  for (const record of jobs(3)) await victim.replica.publish(record)
  for (const [protocol, { concurrency }] of [[RECONCILE_PROTOCOL, RECONCILE.rounds], [RECORDS_PROTOCOL, RECONCILE.pages]] as const) {
    for (let n = 0; n < concurrency + 2; n++) {
      const [connection] = attacker.mesh.libp2p.getConnections().filter(({ remotePeer }) => remotePeer.toString() === victim.mesh.peerId)
      const stream = await connection?.newStream(protocol, { signal: soon(), maxOutboundStreams: 256 })
      // The beginning of a frame that does not come.
      stream?.send(Uint8Array.of(0))
    }
  }
  await bystander.replica.reconcileNow(victim.mesh.peerId, soon())
  t.strictSame(idsOf(bystander), idsOf(victim))
})

t.test('one honest peer among withholding ones is enough to become complete, before and after joining', async (t) => {
  const clock = startClock(t)
  const [victim, honest] = [await startHonest(t, { clock }), await startHonest(t, { clock })]
  const withholding = await Promise.all(Array.from({ length: 4 }, async () => await startAttacker(t)))
  for (const record of jobs(50)) await honest.replica.publish(record)
  for (const attacker of withholding) {
    keepApart(attacker.mesh, honest.mesh)
    // An empty book that takes all and passes nothing on.
    serve(attacker, async () => encodeFramesAnswer([[SHARD, listOf([])]]), async (payload) => {
      const query = decodePageQuery(DOMAIN, payload)
      return query.type === 'fetch' ? encodeFetched([]) : encodePushed([])
    })
    await befriend(attacker.mesh, victim.mesh)
  }
  await befriend(honest.mesh, victim.mesh)
  await until('the victim has what was there before', () => victim.replica.book.size === 50)
  const late = signRecord(alice, 'job', { slot: 50, seq: clock.now() })
  await honest.replica.publish(late)
  await until('and what comes', () => victim.replica.book.get(late.id) !== undefined)
  await assertEqualBooks(t, victim, honest, 51)
})
