import t from 'tap'
import { createSignaturePool } from '../../src/book/signature-pool.ts'
import { SIGNATURES } from '../../src/book/options.ts'
import { createManualClock } from '../../src/core/clock.ts'
import { silentLogger as logger } from '../../src/core/logger.ts'
import { packClaims, verifyClaims, type SignatureCheck } from '../../src/wire/signature.ts'
import { signRecord, testSigner } from '../support/records.ts'

const alice = testSigner(1)
const claim = (slot: number): SignatureCheck => {
  const { id, signature } = signRecord(alice, 'job', { slot })
  return { digest: id, signature, signer: alice.address }
}
const CLAIMS = Array.from({ length: SIGNATURES.beforeThread + 1 }, (_, slot) => claim(slot))
const forged = (index: number): SignatureCheck[] => CLAIMS.map((each, at) => at === index ? { ...each, signature: claim(99).signature } : each)
const all = Array.from({ length: CLAIMS.length }, () => true)

t.test('claims survive packing, and each is judged by itself', async (t) => {
  t.same([...verifyClaims(packClaims(forged(3)))], all.map((_, at) => at === 3 ? 0 : 1))
  t.same([...verifyClaims(packClaims([{ ...claim(1), signer: testSigner(2).address }]))], [0], 'signed by another key')
})

t.test('many claims go to a thread, fewer do not start one, and a few do not wait for one; an idle thread ends', async (t) => {
  const clock = createManualClock()
  const pool = createSignaturePool({ clock, logger }, { size: 1 })
  t.teardown(pool.stop)
  t.same(await pool.verify(CLAIMS.slice(1)), all.slice(1))
  t.equal(pool.threads, 0)
  const answers = await Promise.all([pool.verify(forged(0)), pool.verify(forged(CLAIMS.length - 1)), pool.verify(CLAIMS.slice(0, 1))])
  t.same(answers, [all.map((_, at) => at !== 0), all.map((_, at) => at !== CLAIMS.length - 1), [true]], 'each asker gets its own answers')
  t.equal(pool.threads, 1)
  const order: string[] = []
  const many = pool.verify(CLAIMS).then(() => { order.push('many') })
  await pool.verify(CLAIMS.slice(0, SIGNATURES.atOnce)).then(() => { order.push('few') })
  await many
  t.same(order, ['few', 'many'])
  clock.advance(SIGNATURES.idleMs)
  t.equal(pool.threads, 0)
  t.same(await pool.verify(CLAIMS), all, 'another one is started when there is work')
})

t.test('stopping answers what waits, and threads that cannot run leave the work to this one', async (t) => {
  const clock = createManualClock()
  const pool = createSignaturePool({ clock, logger }, { size: 1 })
  const waiting = [pool.verify(CLAIMS), pool.verify(CLAIMS)]
  await pool.stop()
  t.same(await Promise.all(waiting), [all, all], 'and truly')
  const without = createSignaturePool({ clock, logger }, { size: 0 })
  t.same(await without.verify(forged(7)), all.map((_, at) => at !== 7))
  t.equal(without.threads, 0)
})

t.test('a thread has its next tasks before it has answered, and each asker gets its own answers', async (t) => {
  const pool = createSignaturePool({ clock: createManualClock(), logger }, { size: 1 })
  t.teardown(pool.stop)
  const askers = Array.from({ length: SIGNATURES.tasksAhead + 2 }, (_, asker) => asker)
  const answers = await Promise.all(askers.map(async (asker) => await pool.verify(forged(asker))))
  t.same(answers, askers.map((asker) => all.map((_, at) => at !== asker)))
  t.equal(pool.threads, 1)
  const waiting = askers.map(async (asker) => await pool.verify(forged(asker)))
  await pool.stop()
  t.same(await Promise.all(waiting), answers, 'what the thread was given is answered when it is ended')
})
