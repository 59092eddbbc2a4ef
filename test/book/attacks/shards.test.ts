import t from 'tap'
import { BOOK_DEFAULTS } from '../../../src/book/options.ts'
import { createPages } from '../../../src/book/pages.ts'
import { errorCode } from '../../../src/core/errors.ts'
import { encodeBatch } from '../../../src/wire/record-batch.ts'
import { encodeDigestAnswer, MAX_RECONCILE_BYTES, RECONCILE_PROTOCOL } from '../../../src/wire/reconcile.ts'
import { encodeRecord, type SignedRecord } from '../../../src/wire/record.ts'
import { marketShard, slotAt } from '../../../src/wire/shard.ts'
import { recordsTopic } from '../../../src/wire/topics.ts'
import { DOMAIN, GPU_JOB, jobBody, signRecord, testSigner } from '../../support/records.ts'
import { idsOf, scoreOf, soon, startScene, until, verdictOn, type Attacker, type Honest } from './attacker.ts'

/** Three a topic and one more reach the graylist threshold; some arrive before the connection is cut. */
const MOST_JUDGED = 20
const alice = testSigner(1)
const mallory = testSigner(66)
const topicOf = (shard: number): string => recordsTopic(DOMAIN.chainId, shard)
const send = async (attacker: Attacker, record: SignedRecord, shard: number): Promise<void> => { await attacker.sendBytes(encodeBatch(DOMAIN, [encodeRecord(record)]), topicOf(shard)) }
const isGone = (victim: Honest, attacker: Attacker): boolean => scoreOf(victim, attacker.mesh.peerId) === undefined

t.test('a record in the wrong shard costs its sender and gets nowhere: by its body, or by the topic it is sent on', async (t) => {
  const { victim, bystander, attacker } = await startScene(t)
  const cases: Array<[string, SignedRecord, number]> = [
    ['a GPU job in a cpu slot', signRecord(mallory, 'job', { slot: 1, body: GPU_JOB }), 0],
    ['a cpu job in a GPU slot', signRecord(mallory, 'job', { slot: slotAt(1, 1) }), 1],
    ['a job of a named market in a slot of the default one', signRecord(mallory, 'job', { slot: 1, body: jobBody({ market: 'render' }) }), 0],
    ['a good record on another topic', signRecord(mallory, 'job', { slot: 2 }), 1]
  ]
  for (const [what, record, shard] of cases) {
    const before = scoreOf(victim, attacker.mesh.peerId) ?? 0
    t.equal(await verdictOn(victim, attacker, async () => { await send(attacker, record, shard) }), 'reject', what)
    t.ok((scoreOf(victim, attacker.mesh.peerId) ?? -Infinity) <= before - 100, `${what} costs`)
  }
  t.equal(victim.replica.book.size, 0)
  t.strictSame(bystander.verdicts, [], 'nothing was passed on')
  const honest = signRecord(alice, 'job', { slot: slotAt(1, 0), body: GPU_JOB })
  await bystander.replica.publish(honest)
  await until('an honest GPU job arrives', () => victim.replica.book.get(honest.id) !== undefined)
})

t.test('a flood of bad signatures that is spread over all topics ends as one on a single topic does', async (t) => {
  const { victim, bystander, attacker } = await startScene(t)
  const forged = (shard: number, place: number): SignedRecord => ({ ...signRecord(mallory, shard === 128 ? 'module' : 'job', { slot: slotAt(shard, place), account: alice.address, ...(shard === 1 ? { body: GPU_JOB } : {}) }), operator: alice.address })
  for (let n = 0; n < 60; n++) {
    const shard = BOOK_DEFAULTS.shards[n % 3] as number
    await send(attacker, forged(shard, n), shard)
  }
  await until('the flooder is gone', () => isGone(victim, attacker))
  const judged = victim.verdicts.filter(({ from }) => from === attacker.mesh.peerId)
  t.ok(judged.length <= MOST_JUDGED && judged.every(({ verdict }) => verdict === 'reject'), `${judged.length} messages were looked at`)
  const honest = signRecord(alice, 'job', { slot: 9 })
  await bystander.replica.publish(honest)
  await until('honest records go on', () => victim.replica.book.get(honest.id) !== undefined)
})

t.test('records of a shard that is not followed are not taken in reconciliation, and cost nothing', async (t) => {
  const { victim, attacker } = await startScene(t)
  const foreign = signRecord(mallory, 'job', { slot: slotAt(marketShard('render', 'cpu'), 0), body: jobBody({ market: 'render' }) })
  const own = signRecord(mallory, 'job', { slot: 3 })
  const pages = createPages({ requests: attacker.mesh.requests, domain: DOMAIN }, { peer: victim.mesh.peerId, onBytes: () => undefined })
  await pages.ask({ type: 'push', records: [foreign, own].map(encodeRecord) })
  await pages.close()
  t.strictSame(idsOf(victim), [own.id])
  t.ok((scoreOf(victim, attacker.mesh.peerId) ?? -1) >= 0)
})

t.test('a peer that compares shards nobody asked it for ends its own session', async (t) => {
  const { victim, attacker } = await startScene(t)
  const limits = { maxBytes: MAX_RECONCILE_BYTES, perPeerPerSecond: 100, concurrency: 10, timeoutMs: 10_000 }
  for (const answer of [{ equal: [0, 1, 5], differing: [] }, { equal: [0], differing: [0] }]) {
    const stop = attacker.mesh.requests.serve(RECONCILE_PROTOCOL, limits, async () => encodeDigestAnswer(answer))
    t.equal(await victim.replica.reconcileNow(attacker.mesh.peerId, soon()).then(() => 'done', errorCode), 'BOOK_RECONCILE')
    stop()
  }
})
