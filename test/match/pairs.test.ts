import fc from 'fast-check'
import t from 'tap'
import { createManualClock } from '../../src/core/clock.ts'
import { createSeededRandom } from '../../src/core/random.ts'
import { affords, suits } from '../../src/match/admissible.ts'
import { variantsOf } from '../../src/match/devices.ts'
import { floorEngine, solveFloor } from '../../src/match/floor.ts'
import { createInstance } from '../../src/match/instance.ts'
import { marketOf } from '../../src/match/market.ts'
import { DEFAULT_MATCH_RULES } from '../../src/match/options.ts'
import { gatherPairs, pairsOf } from '../../src/match/pairs.ts'
import type { Snapshot } from '../../src/match/problem.ts'
import { verifySolution } from '../../src/match/verify.ts'
import { anyBook, AT_MS, book, job, offer, RULES } from './rows.ts'

const { signal } = new AbortController()
const instance = (jobs: number, offers: number): Snapshot => createInstance(createSeededRandom(1), { jobs, offers, rules: DEFAULT_MATCH_RULES, nowMs: AT_MS, gpuPercent: 25 })
/** Every pair that the records let through, without the numbers that are looked at first. */
function byRecords (snapshot: Snapshot): string[] {
  const market = marketOf(snapshot)
  return market.jobs.flatMap((row, jobAt) => market.offers.flatMap((other, offerAt) =>
    suits(row, other, market) ? variantsOf(row.offer, other.offer).filter((devices) => affords(row, other, market, devices)).map((devices) => `${jobAt} ${offerAt} ${devices.join()}`) : []))
}
function found (snapshot: Snapshot): string[] {
  const { job: jobs, offer: offers, variant, variants } = pairsOf(marketOf(snapshot))
  return [...jobs].map((jobAt, at) => `${jobAt} ${offers[at] as number} ${variants[variant[at] as number]?.join() ?? ''}`)
}

t.test('numbers rule out no pair that the records let through', async () => {
  fc.assert(fc.property(anyBook, (snapshot) => JSON.stringify(found(snapshot)) === JSON.stringify(byRecords(snapshot))), { numRuns: 500, seed: 5 })
})

t.test('nor where amounts are as large as they may be', async (t) => {
  const max = Number.MAX_SAFE_INTEGER
  const edges = [0, 1, 100, max]
  const rules = { ...RULES, reference: { ...RULES.reference, base: 0 } }
  const offers = edges.flatMap((base, at) => edges.map((price, other) => offer(1 + at * 4 + other, { capacity: { cpuMilli: max, memoryMiB: 100, diskMiB: max }, ask: { base, cpuMilliSecond: price, memoryMiBSecond: 0, diskMiBSecond: 0 } }, { freeCollateral: max })))
  const jobs = edges.flatMap((cpuMilli, at) => edges.map((limit, other) => job(1 + at * 4 + other, { limit, runSeconds: 1, resources: { cpuMilli, memoryMiB: 1, diskMiB: 0 } })))
  const snapshot = book(jobs, offers, rules)
  t.ok(byRecords(snapshot).length > 10, `${byRecords(snapshot).length} pairs`)
  t.same(found(snapshot), byRecords(snapshot))
})

t.test('who stops in between has the pairs of the jobs that were come to', async (t) => {
  const market = marketOf(instance(20, 10))
  const whole = pairsOf(market)
  const gathering = gatherPairs(market)
  for (let at = 0; at < 7; at++) t.equal(gathering.next(), true)
  const some = gathering.pairs()
  t.same([...some.jobStart.subarray(0, 8)], [...whole.jobStart.subarray(0, 8)])
  t.same([...new Set(some.jobStart.subarray(8))], [some.count], 'the others have none')
})

t.test('the floor engine gives the floor, lets others have their turn meanwhile, and stops at its deadline with what it has', async (t) => {
  const snapshot = instance(500, 300)
  const clock = createManualClock(AT_MS)
  let turns = 0
  const timer = setInterval(() => { turns++ }, 0)
  const answer = await floorEngine.solve(snapshot, { deadlineMs: AT_MS + 1000, seed: 1, signal, clock })
  clearInterval(timer)
  t.same(answer.matches, solveFloor(snapshot).matches)
  t.ok(turns > 0, 'timers ran while it solved')

  let looks = 0
  const hurried = { ...clock, now: () => AT_MS + looks++ * 4 }
  const partial = await floorEngine.solve({ ...snapshot }, { deadlineMs: AT_MS + 1000, seed: 1, signal, clock: hurried })
  const verified = verifySolution(snapshot, partial)
  t.ok(verified.ok && verified.counted > 0 && verified.counted < answer.matches.length, `${verified.counted} of ${answer.matches.length}`)

  const controller = new AbortController()
  const aborted = floorEngine.solve({ ...snapshot }, { deadlineMs: AT_MS + 1000, seed: 1, signal: controller.signal, clock })
  controller.abort(new Error('enough'))
  await t.rejects(aborted, { message: 'enough' })
})
