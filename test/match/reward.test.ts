import t from 'tap'
import { createRanking, type Ranked } from '../../src/match/ranking.ts'
import type { Snapshot } from '../../src/match/problem.ts'
import { rewardFee, rewardOf } from '../../src/match/reward.ts'
import { snapshotOf, type Seen } from '../../src/match/snapshot.ts'
import { encodeSolution } from '../../src/wire/solution.ts'
import { solutionIdOf, statementOf } from '../../src/wire/auction.ts'
import { address, AT_MS, book, hash, job, offer, RULES } from './rows.ts'

// Every pair has the reference price of 200, its fee is 20 percent: 40. The least fee is 5. A match counts what its limit is above 150.
const rules = { ...RULES, feeBp: 2000 }
const snapshot: Snapshot = book([job(1), job(2), job(3)], [offer(1)], rules)
const ranked = (solver: number, jobs: number[], change: Partial<Ranked> = {}): Ranked => ({
  solver: address(solver), engine: 'test', score: jobs.length * 100, matches: jobs.length, unknown: 0, winner: false, fair: true, solutionId: hash(solver), fallback: false,
  solution: { epoch: 7, engine: 'test', matches: jobs.map((at) => ({ job: hash(at), offer: offer(1).id, devices: [] })) }, ...change
})
const feeIn = (ranking: Ranked[], price = 200, on = snapshot): number => rewardFee(price, rules, rewardOf(on, ranking, hash(1)))

t.test('a solution earns what it is ahead of other solvers, within the fees of its matches', async (t) => {
  const ahead = (lead: number): number => feeIn([ranked(1, [1, 2]), ranked(2, [1, 3])], 200, book([job(1), job(2), job(3, { limit: 250 - lead })], [offer(1)], rules))
  t.same([0, 1, 40, 79, 80, 99].map(ahead), [5, 5, 22, 39, 40, 40])
  t.equal(feeIn([ranked(1, [1, 2])]), 40, 'alone it is ahead of nothing')
  t.equal(feeIn([ranked(1, [1, 2]), ranked(1, [1, 3], { solutionId: hash(9) }), ranked(2, [1])]), 40, 'ahead of others, not of itself')
  t.equal(feeIn([ranked(2, [1, 2, 3]), ranked(1, [1, 2])]), 5, 'behind another')
})

t.test('a small job pays the least, and so does what counts nothing, adds nothing or was posted', async (t) => {
  t.equal(feeIn([ranked(1, [1, 2])], 10), 5)
  t.equal(feeIn([ranked(1, [1, 2], { score: 0 })]), 5)
  t.equal(feeIn([ranked(1, [1, 2]), ranked(2, [1, 2])]), 5, 'a copy')
  t.equal(feeIn([ranked(1, [1, 2], { fallback: true })]), 5)
  t.equal(rewardFee(200, rules, undefined), 5)
  t.equal(rewardFee(200, rules, rewardOf(snapshot, [ranked(1, [1, 2])], hash(8))), 5, 'a solution that nobody revealed')
  t.equal(feeIn([ranked(1, [99])]), 5, 'matches that count nothing pay nothing')
})

t.test('the fee is exact at the limits of integers', async (t) => {
  const large = Number.MAX_SAFE_INTEGER
  t.equal(rewardFee(large, { ...rules, feeBp: 10_000 }, { lead: large - 1, total: large }), large - 1)
})

t.test('creator and solver come to the same fee though one of them had a record in time and the other late', async (t) => {
  const cutoff = { seenBeforeMs: AT_MS + 4000, lateFromMs: AT_MS - 1000, freshFromMs: AT_MS - 2000, datedFromMs: AT_MS - 3000 }
  const phases = { epoch: 7, epochStart: AT_MS, commitDeadline: AT_MS + 4000, revealDeadline: AT_MS + 5500, fallbackDeadline: AT_MS + 6500, consentDeadline: AT_MS + 10_000 }
  /** A node that saw job 2 at `seenMs`, the others long before. */
  const nodeAt = (seenMs: number, writtenMs: number): { fee: number, first: string | undefined } => {
    const old = <T>(row: T): Seen<T> => ({ row, writtenMs: AT_MS - 9000, firstSeenMs: AT_MS - 9000 })
    const own = snapshotOf({ jobs: [old(job(1)), { row: job(2), writtenMs, firstSeenMs: seenMs }, old(job(3, { limit: 230 }))], offers: [old(offer(1))] }, { phases, cutoff, rules })
    const ranking = createRanking()(own, [[1, [1, 2]], [2, [3]]].map(([solver, jobs]) => {
      const solution = ranked(solver as number, jobs as number[]).solution
      const bytes = encodeSolution(solution)
      const reveal = { epoch: 7, solver: address(solver as number), solution: bytes, certificateId: hash(0), salt: hash(1), signature: '0x' as const }
      return { reveal, statement: statementOf(reveal), solution, solutionId: solutionIdOf(bytes) }
    }))
    const mine = ranking.find(({ solver }) => solver === address(1)) as Ranked
    return { fee: rewardFee(200, rules, rewardOf(own, ranking, mine.solutionId)), first: String(mine.score) }
  }
  const written = AT_MS - 1500
  const [early, late] = [nodeAt(AT_MS - 1400, written), nodeAt(AT_MS - 600, written)]
  t.not(early.first, late.first, 'they score the solution differently')
  t.equal(early.fee, late.fee, 'and owe its solver the same')
  t.ok(nodeAt(AT_MS - 5000, AT_MS - 5100).fee > early.fee, 'what everybody knew for long counts in full')
  t.equal(nodeAt(AT_MS - 2500, AT_MS - 2900).fee, early.fee, 'nor does it matter on which side of the limit for leads one of them saw it')
  t.equal(nodeAt(AT_MS - 1900, AT_MS - 9000).fee, late.fee, 'a date alone makes nothing older')
})
