import t from 'tap'
import { createSeededRandom } from '../../src/core/random.ts'
import { explainJob, explainOffer } from '../../src/match/explain.ts'
import { fitSolution } from '../../src/match/fit.ts'
import { solveFloor } from '../../src/match/floor.ts'
import type { MatchRules } from '../../src/match/options.ts'
import type { Snapshot } from '../../src/match/problem.ts'
import { tickFor } from '../../src/match/ticks.ts'
import { verifySolution } from '../../src/match/verify.ts'
import { jobOfferShape, type GpuDemand } from '../../src/wire/job-offer.ts'
import { resourceOfferShape, type GpuSupply } from '../../src/wire/resource-offer.ts'
import { scoreOf } from './definition.ts'
import { address, AT_MS, book, hash, job, offer, RULES } from './rows.ts'

const LARGEST = Number.MAX_SAFE_INTEGER
const PEER = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN'
const CID = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'

/** A book whose numbers are at the ends of what the wire allows, or far below. */
function extremeBook (seed: number): Snapshot {
  const random = createSeededRandom(seed)
  const low = (most: number, least: number): number => Math.max(least, Math.min(most, random.below(50)))
  const extreme = (most: number, least: number): number => [least, most, Math.floor(most / 3)][random.below(3)] as number
  /** Of a job and a price: mostly small, so that pairs fit. Of a limit, a capacity: mostly the most. */
  const some = (most: number, least = 0): number => random.below(12) > 0 ? low(most, least) : extreme(most, least)
  const much = (most: number): number => random.below(6) > 0 ? most : extreme(most, 0)
  const list = <T>(most: number, make: (at: number) => T): T[] => Array.from({ length: random.below(most + 1) }, (_, at) => make(at))
  const entry = (): GpuDemand => ({ models: list(2, (at) => ['a', 'b'][at] as string), vramMiB: some(16_777_216), shareBp: some(10_000, 1) })
  const device = (): GpuSupply => ({ model: ['a', 'b'][random.below(2)] as string, vramMiB: much(16_777_216), shareBp: much(10_000), secondAsk: tickFor(some(LARGEST)) })
  const rules: MatchRules = {
    ...RULES, reference: { base: some(LARGEST), cpuMilliSecond: some(LARGEST), memoryMiBSecond: some(1000), diskMiBSecond: some(2), gpuSecond: { default: some(LARGEST), models: { a: some(LARGEST) } } },
    bandBp: much(10_000), collateralBp: some(1_000_000), maxPremiumBp: some(10_000), ageBp: some(100), maxAgeEpochs: some(100)
  }
  const jobs = Array.from({ length: 6 }, (_, at) => ({
    ...job(at + 1, {
      module: CID, inputs: CID, peer: PEER, jobNumber: some(2 ** 48), resources: { cpuMilli: some(1_000_000), memoryMiB: some(16_777_216), diskMiB: some(1_073_741_824) }, gpus: random.below(8) === 0 ? list(64, entry) : list(2, entry), runSeconds: some(604_800, 1),
      stageSeconds: some(3600), limit: much(LARGEST), deadline: much(LARGEST), validUntil: AT_MS + 1, collateralBp: some(1_000_000), minReputationBp: random.below(3) === 0 ? some(10_000) : 0,
      verification: random.below(4) === 0 ? { strategy: 'replicate', replicas: Math.min(some(16, 2), 16), quorum: 1 } : { strategy: 'none', auditBp: 0 }, mediators: [], group: { id: hash(1), index: random.below(64), size: random.below(6) === 0 ? some(64) : 0 }
    }, address(random.below(3))), ageEpochs: some(LARGEST)
  }))
  const offers = Array.from({ length: 4 }, (_, at) => offer(at + 1, {
    peer: PEER, capacity: { cpuMilli: much(1_000_000), memoryMiB: much(16_777_216), diskMiB: much(1_073_741_824) }, gpus: random.below(8) === 0 ? list(64, device) : list(3, device), ask: { base: tickFor(some(LARGEST)), cpuMilliSecond: tickFor(some(LARGEST)), memoryMiBSecond: tickFor(some(9)), diskMiBSecond: 0 },
    maxRunSeconds: Math.max(1, much(604_800)), freeFrom: random.below(3) === 0 ? some(LARGEST) : 0, collateral: much(LARGEST), mediators: []
  }, { account: address(10 + random.below(4)), freeCollateral: much(LARGEST), reputationBp: much(10_000) }))
  for (const row of jobs) jobOfferShape.parse(row.offer)
  for (const row of offers) resourceOfferShape.parse(row.offer)
  return book(jobs, offers, rules)
}

t.test('books at the limits of every field are solved, scored and explained without a throw or a rounded number', async (t) => {
  const seen = { matches: 0, capped: 0 }
  for (let seed = 1; seed <= 100; seed++) {
    const snapshot = extremeBook(seed)
    const solution = solveFloor(snapshot)
    const { ok, score, counted } = verifySolution(snapshot, solution)
    const exact = scoreOf(snapshot, solution.matches)
    if (!ok || exact === undefined || !Number.isSafeInteger(score) || BigInt(score) !== (exact > BigInt(LARGEST) ? BigInt(LARGEST) : exact)) t.fail(`seed ${seed}: ${score}, exactly ${exact}`)
    fitSolution(snapshot, solution, 100)
    for (const { id } of snapshot.jobs) JSON.stringify(explainJob(snapshot, id))
    for (const { id } of snapshot.offers) JSON.stringify(explainOffer(snapshot, id))
    seen.matches += counted
    if (exact !== undefined && exact > BigInt(LARGEST)) seen.capped++
  }
  t.ok(seen.matches > 50 && seen.capped > 0, JSON.stringify(seen))
})
