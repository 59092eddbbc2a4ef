import fc from 'fast-check'
import t from 'tap'
import { devicesFor, type Devices } from '../../src/match/devices.ts'
import { solveFloor } from '../../src/match/floor.ts'
import { marketOf } from '../../src/match/market.ts'
import { MAX_MATCHES } from '../../src/match/options.ts'
import { pairsOf } from '../../src/match/pairs.ts'
import type { JobRow, Match, OfferRow, Snapshot, Solution } from '../../src/match/problem.ts'
import { verifySolution } from '../../src/match/verify.ts'
import type { Hash } from '../../src/wire/shapes.ts'
import { scoreOf } from './definition.ts'
import { address, anyBook, book, hash, job, offer, RULES, shuffled } from './rows.ts'

const solution = (matches: Match[], epoch = 7): Solution => ({ epoch, engine: 'test', matches })
const match = (jobNumber: number, offerNumber: number): Match => ({ job: hash(jobNumber), offer: hash(1_000_000 + offerNumber), devices: [] })

const anyHash = (least: number, most: number, from = 0): fc.Arbitrary<Hash> => fc.integer({ min: least, max: most }).map((at) => hash(from + at))
const anyPair = fc.record({ job: anyHash(1, 9), offer: anyHash(1, 7, 1_000_000), devices: fc.array(fc.nat(3), { maxLength: 2 }) })
const same = ({ jobs }: Snapshot, left: Match, right: Match): boolean => {
  const [one, two] = [left, right].map((match) => jobs.find(({ id }) => id === match.job))
  return one !== undefined && two !== undefined && (one === two || (one.offer.group.size > 1 && one.account === two.account && one.offer.group.id === two.offer.group.id))
}

/** A book and matches: a part of what an engine or chance finds, whole or torn, now and then with any pair, known or not. */
const anyCase = anyBook.chain((snapshot) => {
  const found = solveFloor(snapshot).matches
  const market = marketOf(snapshot)
  const { count, job: jobs, offer: offers, variant, variants } = pairsOf(market)
  const pairs = Array.from({ length: count }, (_, at): Match => ({ job: (market.jobs[jobs[at] as number] as JobRow).id, offer: (market.offers[offers[at] as number] as OfferRow).id, devices: variants[variant[at] as number] as Devices }))
  const whole = fc.subarray([...found]).map((some) => found.filter((match) => some.some((one) => same(snapshot, one, match))))
  const torn = fc.subarray([...found])
  const chance = pairs.length === 0 ? fc.constant<Match[]>([]) : fc.uniqueArray(fc.constantFrom(...pairs), { maxLength: 6, selector: ({ job }) => job })
  const alone = snapshot.jobs.filter((row) => row.offer.group.size === 0 && !('replicas' in row.offer.verification))
  const wild = alone.length === 0 ? chance : fc.uniqueArray(fc.record({ left: fc.constantFrom(...alone), right: fc.constantFrom(...snapshot.offers) }).map(({ left, right }): Match => ({ job: left.id, offer: right.id, devices: devicesFor(left.offer, right.offer) ?? [] })), { maxLength: 2, selector: ({ job }) => job })
  const strays = fc.oneof({ arbitrary: fc.constant<Match[]>([]), weight: 5 }, { arbitrary: fc.array(anyPair, { maxLength: 2 }), weight: 1 })
  return fc.record({ snapshot: fc.constant(snapshot), matches: fc.tuple(fc.oneof(whole, torn, chance, chance, wild), strays).map(([some, more]) => [...some, ...more]) })
})

t.test('verify agrees with the definition on any book and any matches', async () => {
  const feasible = { several: 0, gpus: 0, together: 0, unknown: 0 }
  const infeasible = new Map<unknown, number>()
  fc.assert(fc.property(anyCase, ({ snapshot, matches }) => {
    const expected = scoreOf(snapshot, matches)
    const got = verifySolution(snapshot, solution(matches))
    if (expected === undefined) infeasible.set(got.code, (infeasible.get(got.code) ?? 0) + 1)
    else {
      feasible.several += got.counted > 1 ? 1 : 0
      feasible.gpus += got.counted > 0 && matches.some(({ devices }) => devices.length > 0) ? 1 : 0
      feasible.together += got.counted > 0 && matches.some((one) => matches.some((other) => one !== other && same(snapshot, one, other))) ? 1 : 0
      feasible.unknown += got.counted > 0 && got.unknown > 0 ? 1 : 0
    }
    return expected === undefined ? !got.ok && got.score === 0 && got.code !== undefined : got.ok && BigInt(got.score) === expected
  }), { numRuns: 1500, seed: 1 })
  for (const [name, cases] of Object.entries(feasible)) t.ok(cases > 20, `${cases} feasible cases: ${name}`)
  for (const code of ['MATCH_JOB_TWICE', 'MATCH_REPLICAS', 'MATCH_GROUP', 'MATCH_DEVICES', 'MATCH_INADMISSIBLE', 'MATCH_OVER_CAPACITY', 'MATCH_OVER_COLLATERAL']) t.ok((infeasible.get(code) ?? 0) > 3, `${infeasible.get(code)} cases of ${code}`)
})

t.test('the order of rows and of matches means nothing', async () => {
  fc.assert(fc.property(anyCase, fc.integer({ min: 1, max: 1000 }), ({ snapshot, matches }, seed) => {
    const one = verifySolution(snapshot, solution(matches))
    const two = verifySolution(shuffled(snapshot, seed), solution([...matches].reverse()))
    return one.ok === two.ok && one.score === two.score && one.counted === two.counted && one.unknown === two.unknown
  }), { numRuns: 300, seed: 2 })
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
  t.match(code([match(77, 1), match(77, 2)]), { ok: true, score: 0, counted: 0, unknown: 2 }, 'nobody knows how often an unknown job may occur')
  t.match(code(Array.from({ length: 100_000 }, (_, at) => match(at + 1, 1))), bad('MATCH_TOO_MANY'), `more than ${MAX_MATCHES} matches`)
  t.match(code([match(3, 1), match(4, 2), match(1, 1), match(2, 2)]), { ok: true, counted: 4 }, 'several jobs share an offer')
})

t.test('ids that this node does not hold count nothing and spoil nothing', async (t) => {
  const snapshot = book([job(1), job(2)], [offer(1)])
  t.same(verifySolution(snapshot, solution([match(1, 1)])), { ok: true, score: 100, counted: 1, unknown: 0 })
  t.same(verifySolution(snapshot, solution([match(1, 1), match(9, 1), match(2, 9)])), { ok: true, score: 100, counted: 1, unknown: 2 })
})

t.test('alternative offers of one unit share the smallest capacity of those that are used', async (t) => {
  const small = { cpuMilli: 15, memoryMiB: 100, diskMiB: 100 }
  const one = { account: address(9) }
  const shared = book([job(1), job(2)], [offer(1, {}, one), offer(2, { capacity: small }, one)])
  t.equal(verifySolution(shared, solution([match(1, 1)])).ok, true)
  t.equal(verifySolution(shared, solution([match(1, 1), match(2, 2)])).code, 'MATCH_OVER_CAPACITY')
  t.equal(verifySolution(shared, solution([match(1, 1), match(2, 1)])).ok, true, 'an alternative that is not used bounds nothing: nobody spoils solutions by posting one late')
  const half = (number: number): JobRow => job(number, { gpus: [{ models: [], vramMiB: 0, shareBp: 5000 }], limit: 1000 })
  const gpu = (shareBp: number): Partial<OfferRow['offer']> => ({ gpus: [{ model: 'small', vramMiB: 8, shareBp, secondAsk: 1 }] })
  const devices = book([half(1), half(2)], [offer(1, gpu(10_000), one), offer(2, gpu(5000), one)])
  const on = (jobNumber: number, offerNumber: number): Match => ({ ...match(jobNumber, offerNumber), devices: [0] })
  t.equal(verifySolution(devices, solution([on(1, 1), on(2, 1)])).ok, true)
  t.equal(verifySolution(devices, solution([on(1, 1), on(2, 2)])).code, 'MATCH_DEVICES', 'so with a device')
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
