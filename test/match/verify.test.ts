import fc from 'fast-check'
import t from 'tap'
import { admissible } from '../../src/match/admissible.ts'
import { MAX_MATCHES } from '../../src/match/options.ts'
import { collateralFor, priceFor, welfareOf } from '../../src/match/price.ts'
import type { Match, Snapshot, Solution } from '../../src/match/problem.ts'
import { verifySolution } from '../../src/match/verify.ts'
import { address, anyBook, book, hash, job, offer, RULES, shuffled } from './rows.ts'

const solution = (matches: Match[], epoch = 7): Solution => ({ epoch, engine: 'test', matches })
const match = (jobNumber: number, offerNumber: number): Match => ({ job: hash(jobNumber), offer: hash(1_000_000 + offerNumber), devices: [] })

/** The definition, written down without care for time: undefined when infeasible, else the score in big integers. */
function naive (snapshot: Snapshot, matches: readonly Match[]): bigint | undefined {
  if (new Set(matches.map((entry) => entry.job)).size < matches.length) return undefined
  const pairs = matches.flatMap((entry) => {
    const left = snapshot.jobs.find((row) => row.id === entry.job)
    const right = snapshot.offers.find((row) => row.id === entry.offer)
    return left === undefined || right === undefined ? [] : [{ left, right }]
  })
  for (const one of snapshot.jobs) {
    if (pairs.filter(({ left }) => left.account === one.account && left.offer.jobNumber === one.offer.jobNumber).length > 1) return undefined
  }
  for (const { left, right } of pairs) if (!admissible(left, right, snapshot.rules, snapshot.atMs).ok) return undefined
  for (const one of snapshot.offers) {
    const onUnit = pairs.filter(({ right }) => right.account === one.account && right.offer.unit === one.offer.unit)
    for (const name of ['cpuMilli', 'memoryMiB', 'diskMiB'] as const) {
      if (onUnit.reduce((sum, { left }) => sum + left.offer.resources[name], 0) > one.offer.capacity[name]) return undefined
    }
    const locked = pairs.filter(({ right }) => right.account === one.account)
      .reduce((sum, { left, right }) => sum + BigInt(collateralFor(priceFor(left.offer, right.offer, snapshot.rules), snapshot.rules, left.offer)), 0n)
    if (locked > BigInt(one.freeCollateral)) return undefined
  }
  return pairs.reduce((sum, { left, right }) => sum + BigInt(welfareOf(left.offer, right.offer, snapshot.rules)), 0n)
}

/** A book and matches: mostly admissible pairs of it, now and then any pair, known or not. */
const anyCase = anyBook.chain((snapshot) => {
  const pairs = snapshot.jobs.flatMap((left) => snapshot.offers.filter((right) => admissible(left, right, snapshot.rules, snapshot.atMs).ok).map((right) => ({ job: left.id, offer: right.id, devices: [] as number[] })))
  const anyPair = fc.record({ job: fc.integer({ min: 1, max: 12 }).map((at) => hash(at)), offer: fc.integer({ min: 1, max: 7 }).map((at) => hash(1_000_000 + at)), devices: fc.constant<number[]>([]) })
  const some = pairs.length === 0 ? anyPair : fc.oneof({ arbitrary: fc.constantFrom(...pairs), weight: 15 }, { arbitrary: anyPair, weight: 1 })
  return fc.record({ snapshot: fc.constant(snapshot), matches: fc.array(some, { maxLength: 5 }) })
})

t.test('verify agrees with the definition on any book and any matches', async () => {
  let feasible = 0
  const infeasible = new Map<unknown, number>()
  fc.assert(fc.property(anyCase, ({ snapshot, matches }) => {
    const expected = naive(snapshot, matches)
    const got = verifySolution(snapshot, solution(matches))
    if (expected !== undefined && expected > 0n) feasible += matches.length > 1 ? 1 : 0
    if (expected === undefined) infeasible.set(got.code, (infeasible.get(got.code) ?? 0) + 1)
    return expected === undefined ? !got.ok && got.score === 0 && got.code !== undefined : got.ok && BigInt(got.score) === expected
  }), { numRuns: 3000, seed: 1 })
  t.ok(feasible > 100, `${feasible} of 3000 cases were feasible with several matches`)
  for (const code of ['MATCH_JOB_TWICE', 'MATCH_INADMISSIBLE', 'MATCH_OVER_CAPACITY', 'MATCH_OVER_COLLATERAL']) t.ok((infeasible.get(code) ?? 0) > 20, `${infeasible.get(code)} cases of ${code}`)
})

t.test('the order of rows and of matches means nothing', async () => {
  fc.assert(fc.property(anyCase, fc.integer({ min: 1, max: 1000 }), ({ snapshot, matches }, seed) => {
    const one = verifySolution(snapshot, solution(matches))
    const two = verifySolution(shuffled(snapshot, seed), solution([...matches].reverse()))
    return one.ok === two.ok && one.score === two.score && one.counted === two.counted && one.unknown === two.unknown
  }), { numRuns: 500, seed: 2 })
})

t.test('a hostile solution scores nothing', async (t) => {
  const big = { resources: { cpuMilli: 60, memoryMiB: 1, diskMiB: 1 }, limit: 1000 }
  const snapshot = book([job(1), job(2), job(3, big), job(4, big), job(5, { jobNumber: 1 }, address(1001)), job(6, { limit: 1 })], [offer(1), offer(2), offer(3, {}, { freeCollateral: 999 })])
  const code = (matches: Match[], epoch?: number): unknown => verifySolution(snapshot, solution(matches, epoch))
  const bad = (name: string): object => ({ ok: false, score: 0, counted: 0, unknown: 0, code: name })
  t.match(code([match(1, 1), match(1, 2)]), bad('MATCH_JOB_TWICE'), 'one job on two offers')
  t.match(code([match(1, 1), match(1, 1)]), bad('MATCH_JOB_TWICE'), 'one pair twice')
  t.match(code([match(1, 1), match(5, 2)]), bad('MATCH_JOB_TWICE'), 'two offers of one job number')
  t.match(code([match(3, 1), match(4, 1)]), bad('MATCH_OVER_CAPACITY'), 'over capacity')
  t.match(code([match(1, 3), match(2, 3)]), bad('MATCH_OVER_COLLATERAL'), 'over collateral: each needs 500')
  t.match(code([match(6, 1)]), { ...bad('MATCH_INADMISSIBLE'), reason: 'price' }, 'limit below ask')
  t.match(code([match(1, 1)], 8), bad('MATCH_EPOCH'), 'another epoch')
  t.match(code([match(77, 1), match(77, 2)]), bad('MATCH_JOB_TWICE'), 'a job twice is visible without knowing it')
  t.match(code(Array.from({ length: 100_000 }, (_, at) => match(at + 1, 1))), bad('MATCH_TOO_MANY'), `more than ${MAX_MATCHES} matches`)
  t.match(code([match(3, 1), match(4, 2), match(1, 1), match(2, 2)]), { ok: true, counted: 4 }, 'several jobs share an offer')
})

t.test('ids that this node does not hold count nothing and spoil nothing', async (t) => {
  const snapshot = book([job(1), job(2)], [offer(1)])
  t.same(verifySolution(snapshot, solution([match(1, 1)])), { ok: true, score: 100, counted: 1, unknown: 0 })
  t.same(verifySolution(snapshot, solution([match(1, 1), match(9, 1), match(2, 9)])), { ok: true, score: 100, counted: 1, unknown: 2 })
})

t.test('alternative offers of one unit share its smallest capacity', async (t) => {
  const small = { cpuMilli: 15, memoryMiB: 100, diskMiB: 100 }
  const one = { account: address(9) }
  const shared = book([job(1), job(2)], [offer(1, {}, one), offer(2, { capacity: small }, one)])
  t.equal(verifySolution(shared, solution([match(1, 1)])).ok, true)
  t.equal(verifySolution(shared, solution([match(1, 1), match(2, 2)])).code, 'MATCH_OVER_CAPACITY')
  t.equal(verifySolution(shared, solution([match(1, 1), match(2, 1)])).code, 'MATCH_OVER_CAPACITY', 'the smaller alternative bounds the unit even when only the larger is used')
  const apart = book([job(1), job(2)], [offer(1, {}, one), offer(2, { capacity: small, unit: 'second' }, one)])
  t.equal(verifySolution(apart, solution([match(1, 1), match(2, 2)])).ok, true)
})

t.test('a score beyond 2^53 - 1 stays there instead of being rounded', async (t) => {
  const rules = { ...RULES, reference: { ...RULES.reference, base: 4_000_000_000_000_000 }, collateralBp: 0, bandBp: 10_000 }
  const rich = { limit: Number.MAX_SAFE_INTEGER }
  const snapshot = book([job(1, rich), job(2, rich)], [offer(1)], rules)
  t.equal(verifySolution(snapshot, solution([match(1, 1), match(2, 1)])).score, Number.MAX_SAFE_INTEGER)
})

t.test('a snapshot with an id twice or an amount that is no integer is refused', async (t) => {
  t.throws(() => verifySolution(book([job(1), job(1)], []), solution([])), { code: 'MATCH_SNAPSHOT' })
  t.throws(() => verifySolution(book([], [offer(1, {}, { freeCollateral: 0.5 })]), solution([])), { code: 'MATCH_SNAPSHOT' })
})
