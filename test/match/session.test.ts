import fc from 'fast-check'
import t from 'tap'
import { certificateOf } from '../../src/match/certificate.ts'
import { solveFloor } from '../../src/match/floor.ts'
import { kernelOf } from '../../src/match/kernel/kernel.ts'
import type { JobRow, Snapshot } from '../../src/match/problem.ts'
import { programOf } from '../../src/match/search/program.ts'
import { search } from '../../src/match/search/search.ts'
import { openSession, type Session } from '../../src/match/session.ts'
import { verifySolution } from '../../src/match/verify.ts'
import { anyBook, book, hash, job, offer } from './rows.ts'

const open = (snapshot: Snapshot): Session => openSession(snapshot, { matches: solveFloor(snapshot).matches })
const matched = (session: Session): string[] => session.solution().matches.map((match) => match.job).sort()
const big = (number: number, limit: number): JobRow => job(number, { resources: { cpuMilli: 60, memoryMiB: 1, diskMiB: 1 }, limit })

t.test('whatever comes and goes, the solution is feasible on the jobs of now', async (t) => {
  let placed = 0
  let refilled = 0
  fc.assert(fc.property(anyBook, fc.nat(6), fc.array(fc.nat(7), { maxLength: 4 }), (whole, first, withdrawn) => {
    const before = { ...whole, jobs: whole.jobs.slice(0, first) }
    const { prices } = search(programOf(kernelOf(before)), { budgetMs: 1, seed: 1, now: () => 0, report: () => undefined, maxRounds: 0 })
    const session = openSession(before, { matches: solveFloor(before).matches, certificate: certificateOf(kernelOf(before), prices) })
    for (const row of whole.jobs.slice(first)) if (session.add(row)) placed++
    const gone = new Set(withdrawn.flatMap((at) => whole.jobs[at]?.id ?? []))
    for (const id of gone) {
      const others = session.solution().matches.length
      if (session.remove(id) && session.solution().matches.length >= others && others > 0) refilled++
    }
    const verified = verifySolution({ ...whole, jobs: whole.jobs.filter(({ id }) => !gone.has(id)) }, session.solution())
    return verified.ok && verified.unknown === 0
  }), { numRuns: 200, seed: 1 })
  t.ok(placed > 50, `${placed} jobs found a place`)
  t.ok(refilled > 3, `${refilled} left and others took their room`)
})

t.test('a job that comes takes free room', async (t) => {
  const session = open(book([job(1)], [offer(1)]))
  t.equal(session.add(job(2)), true)
  t.strictSame(matched(session), [hash(1), hash(2)])
})

t.test('a job that counts more takes the place of one that counts less, which waits', async (t) => {
  const session = open(book([big(1, 700)], [offer(1)]))
  t.equal(session.add(big(2, 690)), false, 'not one that counts less')
  t.equal(session.add(big(3, 900)), true)
  t.strictSame(matched(session), [hash(3)])
  t.equal(session.remove(hash(3)), true)
  t.strictSame(matched(session), [hash(1)], 'who leaves makes room for the best who waits')
  t.equal(session.remove(hash(2)), true, 'one that waits can leave too')
  t.equal(session.remove(hash(1)), true)
  t.strictSame(matched(session), [])
  t.equal(session.remove(hash(1)), false)
})

t.test('a job that is displaced goes where there is room', async (t) => {
  const cheap = { cpuMilliSecond: 0, base: 1, memoryMiBSecond: 0, diskMiBSecond: 0 }
  const gpu = [{ model: 'big', vramMiB: 8, shareBp: 10_000, secondAsk: 1 }]
  const session = open(book([big(1, 1200)], [offer(1, { ask: cheap, gpus: gpu }), offer(2)]))
  t.equal(session.solution().matches[0]?.offer, offer(1).id)
  const picky = job(2, { ...big(2, 5000).offer, gpus: [{ models: ['big'], vramMiB: 0, shareBp: 10_000 }] })
  t.equal(session.add(picky), true)
  t.strictSame(matched(session), [hash(1), hash(2)])
})

t.test('the session refuses an id that it holds, and leaves groups to a whole solve', async (t) => {
  const session = open(book([job(1)], [offer(1)]))
  t.throws(() => session.add(job(1)), { code: 'MATCH_SNAPSHOT' })
  t.equal(session.add(job(2, { group: { id: hash(9), index: 0, size: 2 } })), false)
  t.strictSame(matched(session), [hash(1)])
})

t.test('of jobs of one account that share a number one is placed, the next when it leaves', async (t) => {
  const session = open(book([job(1)], [offer(1)]))
  const twin = job(2, { jobNumber: 1 }, job(1).account)
  t.equal(session.add(twin), false)
  session.remove(hash(1))
  t.strictSame(matched(session), [hash(2)])
})

t.test('who waits is found in whatever order others leave', async (t) => {
  const session = open(book([big(1, 900)], [offer(1)]))
  for (const number of [2, 3, 4]) session.add(big(number, 700 + number))
  session.remove(hash(2))
  for (const number of [1, 4, 3]) {
    t.strictSame(matched(session), [hash(number)])
    session.remove(hash(number))
  }
  t.strictSame(matched(session), [])
})

t.test('a job that names providers takes the room of those only, after jobs that count more', async (t) => {
  const session = open(book([big(1, 900), big(2, 900)], [offer(1), offer(2)]))
  const on = (number: number): string | undefined => session.solution().matches.find((match) => match.job === hash(number))?.offer
  const [first, second] = on(1) === offer(1).id ? [1, 2] : [2, 1]
  t.equal(session.add(job(3, { ...big(3, 5000).offer, targets: [offer(2).account] })), false)
  session.add(big(4, 701))
  session.remove(hash(first))
  t.strictSame([on(4), on(3)], [offer(1).id, undefined])
  session.add(big(5, 699))
  session.remove(hash(second))
  t.strictSame([on(5), on(3)], [offer(2).id, undefined], 'it counts one tick')
  session.remove(hash(5))
  t.equal(on(3), offer(2).id)
})
