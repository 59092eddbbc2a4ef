import t from 'tap'
import { proofOf } from '../../../src/book/equivocation.ts'
import { BUCKET_MS, MARKET_SPAN_MS, PROOF_GRACE_MS } from '../../../src/book/options.ts'
import { DEFAULT_AUCTION_RULES } from '../../../src/match/options.ts'
import { createEligibility } from '../../../src/roles/eligibility.ts'
import { DOMAIN, jobBody, signRecord, T0, testSigner } from '../../support/records.ts'
import { befriend, idsOf, keepApart, startAttacker, startClock, startHonest, startScene, until, verdictOn, type Honest } from './attacker.ts'

const alice = testSigner(1)
const mallory = testSigner(66)
const SOON_MS = 20_000
const jobsOf = ({ replica }: Honest): string[] => replica.book.live('job').map(({ record }) => record.id).sort()

t.test('an author that says two things at once is frozen everywhere for the same span, and comes back everywhere', async (t) => {
  // Nobody here has a chain: a freeze has nothing that it could slash.
  const clock = startClock(t)
  const [one, two, late] = [await startHonest(t, { clock }), await startHonest(t, { clock: startClock(t, T0 + 5_000) }), await startHonest(t, { clock })]
  const [left, right] = [await startAttacker(t), await startAttacker(t)]
  for (const [attacker, other] of [[left, two], [left, late], [right, one], [right, late]] as const) keepApart(attacker.mesh, other.mesh)
  await Promise.all([befriend(two.mesh, one.mesh), befriend(left.mesh, one.mesh), befriend(right.mesh, two.mesh)])

  const honest = signRecord(alice, 'job')
  const [here, there] = [signRecord(mallory, 'job'), signRecord(mallory, 'job', { body: jobBody({ limit: 7 }) })]
  const proof = proofOf(DOMAIN, here, there)
  await one.replica.publish(honest)
  await Promise.all([left.send([here]), right.send([there])])
  await until('both nodes hold the proof', () => [one, two].every(({ replica }) => replica.book.get(proof.id) !== undefined && replica.book.get(honest.id) !== undefined))
  await befriend(late.mesh, two.mesh)
  await until('the late joiner holds the same', () => idsOf(late).join() === idsOf(two).join())
  const nodes = [one, two, late]
  for (const node of nodes) {
    t.strictSame(idsOf(node), idsOf(one))
    t.strictSame(jobsOf(node), [honest.id], 'both offers are gone, nobody else\'s is')
    t.ok(node.replica.book.isFrozen(here))
    t.strictSame(node.verdicts.filter(({ verdict }) => verdict === 'reject'), [], 'a relay of one side is not at fault')
  }

  const advance = (ms: number): void => { for (const node of [one, two]) node.clock.advance(ms) }
  advance(MARKET_SPAN_MS / 2)
  const during = signRecord(mallory, 'job', { slot: 1, seq: clock.now() })
  await left.send([during])
  await until('what it says meanwhile is a member everywhere', () => nodes.every(({ replica }) => replica.book.get(during.id) !== undefined))
  for (const node of nodes) t.notOk(jobsOf(node).includes(during.id), 'and shown to no one')
  // The freeze ends with the hour after the bucket of the conflict; clocks differ by five seconds.
  advance(T0 + BUCKET_MS + MARKET_SPAN_MS - clock.now() + 1_000)
  for (const node of nodes) {
    t.notOk(node.replica.book.isFrozen(here))
    t.strictSame(jobsOf(node), [during.id], 'what it said meanwhile counts again, the conflicting ones have ended')
  }
  advance(PROOF_GRACE_MS)
  for (const node of nodes) t.equal(node.replica.book.size, 0, 'nothing is kept of it')
})

t.test('a made-up proof freezes nobody', async (t) => {
  const { victim, bystander, attacker } = await startScene(t)
  const job = signRecord(alice, 'job')
  await victim.replica.publish(job)
  await until('the bystander has it', () => bystander.replica.book.size === 1)
  const forged = { ...signRecord(mallory, 'job', { account: alice.address, body: jobBody({ limit: 7 }) }), operator: alice.address }
  t.equal(await verdictOn(victim, attacker, async () => { await attacker.send([proofOf(DOMAIN, job, forged)]) }), 'reject')
  t.strictSame([jobsOf(victim), jobsOf(bystander)], [[job.id], [job.id]])
})

t.test('nodes that see the chain at different heights hold the same records; only who counts differs', async (t) => {
  const clock = startClock(t)
  const chainAt = (free: number): Parameters<typeof createEligibility>[0]['chain'] => ({ account: async (address) => ({ address, free: address === alice.address ? free : 5_000_000, bond: 0 }) as never, session: async () => ({ funds: 0, allowed: 0, expiry: 0 }), mediators: async () => [] })
  const nodes = [{ node: await startHonest(t, { clock }), chain: chainAt(0) }, { node: await startHonest(t, { clock }), chain: chainAt(2_000_000) }]
  const [behind, ahead] = nodes.map(({ node }) => node) as [Honest, Honest]
  await befriend(behind.mesh, ahead.mesh)
  const [poor, rich] = [signRecord(alice, 'job'), signRecord(mallory, 'job')]
  await ahead.replica.publish(poor)
  await behind.replica.publish(rich)
  await until('both hold both', () => nodes.every(({ node }) => node.replica.book.size === 2))
  t.strictSame(idsOf(behind), idsOf(ahead))
  t.strictSame(await behind.replica.reconcileNow(ahead.mesh.peerId, AbortSignal.timeout(SOON_MS)), { received: 0, sent: 0 })
  t.match(behind.replica.status().peers.at(-1), { equal: true, records: 2 })
  const counting = await Promise.all(nodes.map(async ({ node, chain }) => {
    const eligibility = createEligibility({ chain, clock }, { rules: DEFAULT_AUCTION_RULES })
    const jobs = node.replica.book.live('job')
    await eligibility.refresh(jobs.map(({ record }) => record.account), 0)
    return jobs.filter(({ record }) => eligibility.free(record.account) >= jobBody().limit).map(({ record }) => record.id).sort()
  }))
  t.strictSame(counting, [[rich.id], [poor.id, rich.id].sort()])
})
