import { once } from 'node:events'
import { BroadcastChannel } from 'node:worker_threads'
import fc from 'fast-check'
import t from 'tap'
import { createManualClock, createSystemClock } from '../../src/core/clock.ts'
import { createLogger, silentLogger } from '../../src/core/logger.ts'
import { createSeededRandom } from '../../src/core/random.ts'
import { fitSolution } from '../../src/match/fit.ts'
import { floorEngine, solveFloor } from '../../src/match/floor.ts'
import { createInstance } from '../../src/match/instance.ts'
import { createLpEngine, DEFAULT_LP_OPTIONS } from '../../src/match/lp.ts'
import { DEFAULT_MATCH_RULES } from '../../src/match/options.ts'
import { admissible } from '../../src/match/admissible.ts'
import type { Match, OfferRow, Snapshot } from '../../src/match/problem.ts'
import { verifySolution, type Verified } from '../../src/match/verify.ts'
import { encodeSolution } from '../../src/wire/solution.ts'
import { AT_MS, anyBook, book, hash, job, offer, shuffled } from './rows.ts'

const clock = createSystemClock()
const { signal } = new AbortController()
const lp = createLpEngine({ logger: silentLogger })
const budget = (): Parameters<typeof lp.solve>[1] => ({ deadlineMs: clock.now() + 10_000, seed: 1, signal, clock })
const instance = (seed: number, jobs: number, offers: number, loadPercent = 150): Snapshot =>
  createInstance(createSeededRandom(seed), { jobs, offers, rules: DEFAULT_MATCH_RULES, nowMs: AT_MS, loadPercent })
/** Resolves when the stuck worker is in its endless loop. */
async function untilBusy (): Promise<void> {
  const channel = new BroadcastChannel('stuck-worker')
  await once(channel as unknown as EventTarget, 'message')
  channel.close()
}
/** The local search without programs, so without threads. */
const searchOnly = createLpEngine({ logger: silentLogger }, { ...DEFAULT_LP_OPTIONS, maxWindows: 0 })
const stuck = { ...DEFAULT_LP_OPTIONS, workerUrl: new URL('./stuck-worker.mjs', import.meta.url) }

t.test('the floor is feasible on any book, whatever the order of its rows', async () => {
  fc.assert(fc.property(anyBook, fc.integer({ min: 1, max: 1000 }), (snapshot, seed) => {
    const solution = solveFloor(snapshot)
    const same = JSON.stringify(solveFloor(shuffled(snapshot, seed))) === JSON.stringify(solution)
    const verified = verifySolution(snapshot, solution)
    return same && verified.ok && verified.unknown === 0 && verified.counted === solution.matches.length
  }), { numRuns: 500, seed: 1 })
})

t.test('the floor leaves no job waiting that still fits', async () => {
  fc.assert(fc.property(anyBook, (snapshot) => {
    const solution = solveFloor(snapshot)
    const alone = snapshot.jobs.filter(({ offer }) => offer.group.size === 0 && !('replicas' in offer.verification) && offer.gpus.length < 2)
    return alone.every((left) => solution.matches.some((match) => match.job === left.id) || snapshot.offers.every((right) => {
      const ways = left.offer.gpus.length === 0 ? [[]] : right.offer.gpus.map((_, place) => [place])
      return ways.every((devices) => !verifySolution(snapshot, { ...solution, matches: [...solution.matches, { job: left.id, offer: right.id, devices }] }).ok)
    }))
  }), { numRuns: 200, seed: 2 })
})

t.test('the floor serves bids first and packs several jobs on an offer', async (t) => {
  const demand = { resources: { cpuMilli: 50, memoryMiB: 1, diskMiB: 1 } }
  const snapshot = book([job(1, { ...demand, limit: 560 }), job(2, { ...demand, limit: 600 }), job(3, { ...demand, limit: 640 })], [offer(1)])
  t.same(solveFloor(snapshot).matches.map((match) => match.job).sort(), [hash(2), hash(3)])
})

t.test('the floor takes the offer that counts most, and the fullest among equals', async (t) => {
  const room = (cpuMilli: number): object => ({ capacity: { cpuMilli, memoryMiB: 100, diskMiB: 100 } })
  const cheap = offer(4, { ask: { base: 40, cpuMilliSecond: 1, memoryMiBSecond: 0, diskMiBSecond: 0 } })
  t.same(solveFloor(book([job(1)], [offer(1, room(100)), offer(2, room(12)), offer(3, room(50))])).matches, [{ job: hash(1), offer: offer(2).id, devices: [] }])
  t.same(solveFloor(book([job(1)], [offer(1, room(100)), offer(2, room(12)), cheap])).matches, [{ job: hash(1), offer: cheap.id, devices: [] }])
})

/** Every set of whole bundles on every choice of offers and devices: the best score there is. For a handful of rows. */
function optimum (snapshot: Snapshot): number {
  const { jobs, offers } = snapshot
  const arranged = (entries: number, places: number): number[][] => entries === 0 ? [[]] : arranged(entries - 1, places).flatMap((some) => Array.from({ length: places }, (_, at) => at).filter((at) => !some.includes(at)).map((at) => [...some, at]))
  const waysOf = (row: Snapshot['jobs'][number]): Match[] => offers.flatMap((right) => arranged(row.offer.gpus.length, right.offer.gpus.length).map((devices) => ({ job: row.id, offer: right.id, devices })))
    .filter(({ offer: id, devices }) => admissible(row, offers.find((right) => right.id === id) as OfferRow, snapshot, devices).ok)
  let best = 0
  const choose = (at: number, chosen: readonly Match[]): void => {
    const row = jobs[at]
    if (row === undefined) {
      best = Math.max(best, verifySolution(snapshot, { epoch: snapshot.epoch, engine: 'x', matches: chosen }).score)
      return
    }
    choose(at + 1, chosen)
    const ways = waysOf(row)
    for (const [first, one] of ways.entries()) {
      if (!('replicas' in row.offer.verification)) choose(at + 1, [...chosen, one])
      else for (const two of ways.slice(first + 1)) choose(at + 1, [...chosen, one, two])
    }
  }
  choose(0, [])
  return best
}

t.test('no engine beats the best of all choices, and the search comes near it', async (t) => {
  const sums = { optimum: 0, floor: 0, lp: 0 }
  let complex = 0
  await fc.assert(fc.asyncProperty(anyBook, async (whole) => {
    const snapshot = { ...whole, jobs: whole.jobs.slice(0, 4), offers: whole.offers.slice(0, 3) }
    const best = optimum(snapshot)
    const [floor, search] = [solveFloor(snapshot), await searchOnly.solve(snapshot, budget())].map((solution) => verifySolution(snapshot, solution)) as [Verified, Verified]
    sums.optimum += best
    sums.floor += floor.score
    sums.lp += search.score
    if (floor.counted > 0 && snapshot.jobs.some(({ offer: { gpus, verification } }) => gpus.length > 0 || 'replicas' in verification)) complex++
    return floor.ok && search.ok && floor.score <= best && search.score <= best && search.score >= floor.score
  }), { numRuns: 80, seed: 6 })
  t.comment(`floor ${(sums.floor / sums.optimum).toFixed(3)}, search ${(sums.lp / sums.optimum).toFixed(3)} of the optimum; ${complex} books with GPUs or replicas`)
  t.ok(sums.lp / sums.optimum > 0.95 && complex > 10)
})

t.test('lp is feasible and never below the floor on any book', async () => {
  await fc.assert(fc.asyncProperty(anyBook, async (snapshot) => {
    const verified = verifySolution(snapshot, await lp.solve(snapshot, budget()))
    return verified.ok && verified.score >= verifySolution(snapshot, solveFloor(snapshot)).score
  }), { numRuns: 12, seed: 3 })
})

t.test('on 20 tight books of 30 x 10, lp beats the floor on most and loses on none', async (t) => {
  const count = { wins: 0, ties: 0, losses: 0 }
  let gain = 0
  let floorMs = 0
  let lpMs = 0
  for (let seed = 0; seed < 20; seed++) {
    const snapshot = instance(seed * 7919 + 30, 30, 10)
    const started = performance.now()
    const floor = verifySolution(snapshot, solveFloor(snapshot)).score
    const between = performance.now()
    const best = verifySolution(snapshot, await lp.solve(snapshot, budget())).score
    floorMs += between - started
    lpMs += performance.now() - between
    count[best > floor ? 'wins' : best === floor ? 'ties' : 'losses']++
    gain += best / floor - 1
  }
  t.comment(`lp against floor: ${JSON.stringify(count)}, mean gain ${(gain * 5).toFixed(2)} %, floor ${(floorMs / 20).toFixed(1)} ms, lp ${(lpMs / 20).toFixed(0)} ms`)
  t.equal(count.losses, 0)
  t.ok(count.wins >= 16, `${count.wins} wins`)
})

t.test('what lp gains comes from the program, not only from the search', async (t) => {
  let better = 0
  for (let seed = 0; seed < 5; seed++) {
    const snapshot = instance(seed, 60, 12)
    const [with_, without] = [await lp.solve(snapshot, budget()), await searchOnly.solve(snapshot, budget())].map((solution) => verifySolution(snapshot, solution).score) as [number, number]
    if (with_ > without) better++
  }
  t.ok(better >= 3, `${better} of 5`)
})

t.test('a book beyond the limits is solved in windows', async (t) => {
  const snapshot = instance(5, 150, 40)
  const engine = createLpEngine({ logger: silentLogger }, { ...DEFAULT_LP_OPTIONS, maxWindows: 4 })
  const verified = verifySolution(snapshot, await engine.solve(snapshot, budget()))
  t.ok(verified.ok)
  t.ok(verified.score > verifySolution(snapshot, solveFloor(snapshot)).score)
})

t.test('a program that does not end is terminated at the deadline, and the answer stands without it', async (t) => {
  const manual = createManualClock(AT_MS)
  const busy = untilBusy()
  const snapshot = instance(1, 30, 10)
  const answer = createLpEngine({ logger: silentLogger }, stuck).solve(snapshot, { deadlineMs: AT_MS + 500, seed: 1, signal, clock: manual })
  await busy
  manual.advance(500)
  const verified = verifySolution(snapshot, await answer)
  t.ok(verified.ok && verified.score >= verifySolution(snapshot, solveFloor(snapshot)).score)
})

t.test('aborting rejects with the reason and ends the worker', async (t) => {
  const controller = new AbortController()
  const manual = createManualClock(AT_MS)
  const busy = untilBusy()
  const answer = createLpEngine({ logger: silentLogger }, stuck).solve(instance(1, 30, 10), { deadlineMs: AT_MS + 500, seed: 1, signal: controller.signal, clock: manual })
  await busy
  controller.abort(new Error('enough'))
  await t.rejects(answer, { message: 'enough' })
  await t.rejects(floorEngine.solve(instance(1, 3, 1), { ...budget(), signal: controller.signal }), { message: 'enough' })
})

t.test('a worker that fails is logged, and the answer stands without it', async (t) => {
  const lines: string[] = []
  const logger = createLogger({ level: 'warn', write: (line) => { lines.push(line) }, now: () => 0 })
  const snapshot = instance(1, 30, 10)
  const solution = await createLpEngine({ logger }, { ...stuck, workerUrl: new URL('./no-such-worker.mjs', import.meta.url) }).solve(snapshot, budget())
  t.ok(verifySolution(snapshot, solution).ok)
  t.match(lines, [/lp-worker-failed/])
})

t.test('engines take empty books', async (t) => {
  for (const snapshot of [book([], []), book([job(1)], []), book([], [offer(1)])]) {
    t.same(solveFloor(snapshot).matches, [])
    t.same((await lp.solve(snapshot, budget())).matches, [])
  }
})

t.test('the same stream gives the same instance', async (t) => {
  t.same(instance(4, 20, 5), instance(4, 20, 5))
  t.not(JSON.stringify(instance(4, 20, 5)), JSON.stringify(instance(5, 20, 5)))
})

t.test('a solution too large for a reveal keeps its best matches', async (t) => {
  const snapshot = instance(9, 60, 20)
  const solution = solveFloor(snapshot)
  t.equal(fitSolution(snapshot, solution), solution)
  const small = fitSolution(snapshot, solution, 300)
  t.ok(encodeSolution(small).length <= 300 && small.matches.length >= 14, `${small.matches.length} of ${solution.matches.length}`)
  const { ok, score } = verifySolution(snapshot, small)
  t.ok(ok && score > verifySolution(snapshot, { ...solution, matches: solution.matches.slice(0, small.matches.length) }).score)
})
