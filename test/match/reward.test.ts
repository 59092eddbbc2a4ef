import t from 'tap'
import type { Snapshot } from '../../src/match/problem.ts'
import type { Ranked } from '../../src/match/ranking.ts'
import { rewardFee, rewardOf } from '../../src/match/reward.ts'
import { address, book, hash, job, offer, RULES } from './rows.ts'

// Every pair has the reference price of 200, its fee is 20 percent: 40. The least fee is 5.
const rules = { ...RULES, feeBp: 2000 }
const snapshot: Snapshot = book([job(1), job(2)], [offer(1)], rules)
const ranked = (number: number, score: number, change: Partial<Ranked> = {}): Ranked => ({
  solver: address(number), engine: 'test', score, matches: 2, unknown: 0, winner: false, fair: true, solutionId: hash(number), fallback: false,
  solution: { epoch: 7, engine: 'test', matches: [1, 2].map((at) => ({ job: hash(at), offer: offer(1).id, devices: [] })) }, ...change
})
const feeIn = (ranking: Ranked[], price = 200): number => rewardFee(price, rules, rewardOf(snapshot, ranking))

t.test('the best earns what it is ahead, within the fees of its matches', async (t) => {
  const ahead = (lead: number): number => feeIn([ranked(1, 200, { winner: true }), ranked(2, 200 - lead)])
  t.same([0, 1, 40, 79, 80, 200].map(ahead), [5, 5, 22, 39, 40, 40])
  t.equal(feeIn([ranked(1, 200, { winner: true })]), 40, 'alone it is ahead of nothing')
  t.equal(feeIn([ranked(1, 200, { winner: true }), ranked(1, 190), ranked(2, 160)]), 22, 'ahead of others, not of itself')
})

t.test('a small job pays the least, and so does what did not win or was posted', async (t) => {
  t.equal(feeIn([ranked(1, 200, { winner: true })], 10), 5)
  t.equal(feeIn([ranked(1, 0)]), 5)
  t.equal(rewardFee(200, rules, undefined), 5)
  t.equal(feeIn([ranked(1, 200, { winner: true, fallback: true })]), 5)
  const unknown = { epoch: 7, engine: 'test', matches: [{ job: hash(99), offer: hash(98), devices: [] }] }
  t.equal(feeIn([ranked(1, 200, { winner: true, solution: unknown })]), 5, 'matches that count nothing pay nothing')
})

t.test('the fee is exact at the limits of integers', async (t) => {
  const large = Number.MAX_SAFE_INTEGER
  t.equal(rewardFee(large, { ...rules, feeBp: 10_000 }, { solutionId: hash(1), lead: large - 1, total: large }), large - 1)
})
