import fc from 'fast-check'
import t from 'tap'
import { createSeededRandom } from '../../src/core/random.ts'
import { matchesOf } from '../../src/match/assemble.ts'
import { boundAt, verifyBound } from '../../src/match/bound.ts'
import { certificateOf } from '../../src/match/certificate.ts'
import { solveFloor } from '../../src/match/floor.ts'
import { classModelOf } from '../../src/match/highs/model.ts'
import { solveClassModel } from '../../src/match/highs/solve.ts'
import { createInstance } from '../../src/match/instance.ts'
import { boundKernelOf, kernelOf } from '../../src/match/kernel/kernel.ts'
import { PLAIN_ROWS, ROWS, shareInRow } from '../../src/match/kernel/share-rows.ts'
import { placeNarrowed } from '../../src/match/narrowed.ts'
import { DEFAULT_MATCH_RULES } from '../../src/match/options.ts'
import type { Snapshot, Solution } from '../../src/match/problem.ts'
import { createDuals } from '../../src/match/search/duals.ts'
import { programOf } from '../../src/match/search/program.ts'
import { search, type Found } from '../../src/match/search/search.ts'
import { verifySolution } from '../../src/match/verify.ts'
import { decodeCertificate, encodeCertificate } from '../../src/wire/certificate.ts'
import { optimum } from './optimum.ts'
import { address, anyBook, AT_MS, book, hash, job, offer } from './rows.ts'

/** A search of so many rounds, in this thread, on a clock that stands still. */
function found (snapshot: Snapshot, seed: number, maxRounds = 64): { found: Found, solution: Solution } {
  const kernel = kernelOf(snapshot)
  const result = search(programOf(kernel), { budgetMs: 1, seed, now: () => 0, report: () => undefined, maxRounds })
  return { found: result, solution: { epoch: snapshot.epoch, engine: 'price', matches: placeNarrowed(kernel, matchesOf(kernel, result.places)) } }
}

t.test('what the search finds is feasible on any book, and counts what it says', async (t) => {
  fc.assert(fc.property(anyBook, fc.integer({ min: 1, max: 1000 }), (snapshot, seed) => {
    const { found: { worth }, solution } = found(snapshot, seed)
    const verified = verifySolution(snapshot, solution)
    if (!verified.ok) t.comment(JSON.stringify(verified))
    return verified.ok && verified.unknown === 0 && verified.score >= worth && verified.score <= worth + solution.matches.length
  }), { numRuns: 150, seed: 1 })
})

t.test('no engine scores more than any prices prove', async () => {
  fc.assert(fc.property(anyBook, fc.array(fc.nat({ max: 300 }), { minLength: 40, maxLength: 40 }), (snapshot, some) => {
    const kernel = kernelOf(snapshot)
    const { found: { prices }, solution } = found(snapshot, 7)
    const random = Float64Array.from({ length: kernel.units.classes.length * ROWS }, (_, at) => some[at % some.length] as number)
    const most = Math.max(verifySolution(snapshot, solution).score, verifySolution(snapshot, solveFloor(snapshot)).score)
    return most <= boundAt(kernel, random) && most <= verifyBound(snapshot, certificateOf(kernel, random)) && most <= verifyBound(snapshot, certificateOf(kernel, prices)) && most <= verifyBound(snapshot, { entries: [] })
  }), { numRuns: 150, seed: 2 })
})

t.test('no choice of matches at all scores more than prices prove', async () => {
  fc.assert(fc.property(anyBook, (whole) => {
    const snapshot = { ...whole, jobs: whole.jobs.slice(0, 4), offers: whole.offers.slice(0, 3) }
    return optimum(snapshot) <= verifyBound(snapshot, certificateOf(kernelOf(snapshot), found(snapshot, 9).found.prices))
  }), { numRuns: 60, seed: 5 })
})

const anyAlternative = fc.record({ unit: fc.integer({ min: 1, max: 2 }), cpuMilli: fc.constantFrom(20, 40, 100), shareBp: fc.constantFrom(0, 5000, 10_000), base: fc.constantFrom(0, 50), valid: fc.nat(5) })
const anyTask = fc.record({ cpuMilli: fc.constantFrom(10, 20, 30), gpu: fc.boolean(), limit: fc.integer({ min: 300, max: 3000 }) })

/** Units with alternatives that differ in capacity and free shares; the small one leaves no room for all jobs, and need not be named. */
const anyUnequal = fc.record({ tasks: fc.array(anyTask, { minLength: 2, maxLength: 4 }), alternatives: fc.array(anyAlternative, { minLength: 2, maxLength: 4 }) }).map(({ tasks, alternatives }) => book(
  tasks.map(({ cpuMilli, gpu, limit }, at) => job(at + 1, { resources: { cpuMilli, memoryMiB: 1, diskMiB: 1 }, limit, gpus: gpu ? [{ models: [], vramMiB: 0, shareBp: 5000 }] : [] })),
  alternatives.map(({ unit, cpuMilli, shareBp, base, valid }, at) => offer(at + 1, {
    capacity: { cpuMilli, memoryMiB: 100, diskMiB: 100 }, gpus: shareBp === 0 ? [] : [{ model: 'small', vramMiB: 8, shareBp, secondAsk: 1 }], ask: { base, cpuMilliSecond: 1, memoryMiBSecond: 0, diskMiBSecond: 0 }, validUntil: AT_MS + (valid === 0 ? -1 : 60_000)
  }, { account: address(2000 + unit) }))
))

t.test('a bound counts what a solution may have of a unit whose alternatives differ', async (t) => {
  let above = 0
  fc.assert(fc.property(anyUnequal, fc.array(fc.nat({ max: 60 }), { minLength: 16, maxLength: 16 }), (snapshot, some) => {
    const kernel = boundKernelOf(snapshot)
    const random = Float64Array.from({ length: kernel.units.classes.length * ROWS }, (_, at) => some[at % some.length] as number)
    const { found: { prices, bound }, solution } = found(snapshot, 7)
    const best = optimum(snapshot)
    if (best > bound + 1) above++
    return verifySolution(snapshot, solution).ok && best <= boundAt(kernel, random) && best <= verifyBound(snapshot, certificateOf(kernel, random)) && best <= verifyBound(snapshot, certificateOf(kernelOf(snapshot), prices)) && best <= verifyBound(snapshot, { entries: [] })
  }), { numRuns: 150, seed: 8 })
  t.ok(above > 5, `${above} cases beyond what engines can reach, who take the smallest`)
})

t.test('prices that a search found for a unit count for it when its alternatives differ', async (t) => {
  const snapshot = book([job(1), job(2), job(3)], [offer(1), offer(2, { capacity: { cpuMilli: 15, memoryMiB: 100, diskMiB: 100 } }, { account: offer(1).account })])
  const texts = [kernelOf(snapshot), boundKernelOf(snapshot)].map(({ units }) => units.classes.map(({ key }) => key))
  t.strictSame(texts[0], texts[1])
  t.ok(texts[0]?.[0]?.startsWith('[100,'), 'the text has the largest capacity')
  t.equal(kernelOf(snapshot).capacity[0], 15)
  t.equal(boundKernelOf(snapshot).capacity[0], 100)
  const equal = book([job(1)], [offer(1), offer(2, {}, { account: offer(1).account })])
  t.equal(boundKernelOf(equal), kernelOf(equal), 'and one kernel does where they do not')
})

t.test('shares that fit a device together take no more of any row than it has', async () => {
  const share = fc.integer({ min: 0, max: 10_000 })
  fc.assert(fc.property(share, share, fc.integer({ min: 0, max: ROWS - PLAIN_ROWS - 1 }), (left, right, row) => {
    const [small, large] = [Math.min(left, right), Math.max(left, right)]
    return Number.isInteger(shareInRow(row, large)) && shareInRow(row, small) + shareInRow(row, large - small) <= shareInRow(row, large)
  }), { numRuns: 3000, seed: 6, examples: [[5000, 10_000, 1], [2500, 5000, 3], [6000, 10_000, 4]] })
})

t.test('certificates come back from their bytes', async () => {
  fc.assert(fc.property(anyBook, (snapshot) => {
    const certificate = certificateOf(kernelOf(snapshot), found(snapshot, 3).found.prices)
    return JSON.stringify(decodeCertificate(encodeCertificate(certificate))) === JSON.stringify(certificate)
  }), { numRuns: 40, seed: 3 })
})

t.test('an offer of another unit never lowers the bound, nor does a job', async () => {
  fc.assert(fc.property(anyBook, anyBook, (snapshot, other) => {
    const certificate = certificateOf(kernelOf(snapshot), found(snapshot, 5).found.prices)
    const bound = verifyBound(snapshot, certificate)
    const stranger = other.offers.map((row, at) => ({ ...row, id: hash(5_000_000 + at), account: address(9000 + at) }))
    const jobs = other.jobs.filter(({ offer: { group } }) => group.size < 2).map((row, at) => ({ ...row, id: hash(6_000_000 + at), account: address(8000 + at) }))
    return verifyBound({ ...snapshot, offers: [...snapshot.offers, ...stranger] }, certificate) >= bound && verifyBound({ ...snapshot, jobs: [...snapshot.jobs, ...jobs] }, certificate) >= bound
  }), { numRuns: 100, seed: 4 })
})

t.test('the bound is never below the optimum of the relaxation, and equals it at the prices that HiGHS finds', async (t) => {
  for (let seed = 1; seed <= 3; seed++) {
    const snapshot = createInstance(createSeededRandom(seed), { jobs: 60, offers: 12, rules: DEFAULT_MATCH_RULES, nowMs: AT_MS, gpuPercent: 40 })
    const kernel = kernelOf(snapshot)
    const program = programOf(kernel)
    const { objective, prices } = await solveClassModel(classModelOf(program), kernel.units.classes.length * ROWS, kernel.capacity, 10)
    const at = createDuals(program).evaluate(prices)
    t.ok(Math.abs(at / objective - 1) < 1e-6, `bound ${at} at the optimum ${objective}`)
    t.ok(verifyBound(snapshot, certificateOf(kernel, found(snapshot, seed).found.prices)) >= objective * (1 - 1e-9))
  }
})
