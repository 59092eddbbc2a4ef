import t from 'tap'
import { classScoresOf, isFair, yardstickOf } from '../../src/match/fairness.ts'
import type { Opened } from '../../src/match/evidence.ts'
import type { Match } from '../../src/match/problem.ts'
import { createRanking } from '../../src/match/ranking.ts'
import { rewardOf } from '../../src/match/reward.ts'
import { encodeSolution } from '../../src/wire/solution.ts'
import { solutionIdOf, statementOf } from '../../src/wire/auction.ts'
import { address, book, hash, job, offer } from './rows.ts'

const GPU = { model: 'big', vramMiB: 100, shareBp: 10_000, secondAsk: 1 }
const wants = { gpus: [{ models: [], vramMiB: 1, shareBp: 10_000 }], limit: 10_000 }
// A GPU job counts several times what a plain one does.
const snapshot = book([job(1), job(2), job(3, wants)], [offer(1), offer(2, { gpus: [GPU] })])
const plain: Match[] = [1, 2].map((number) => ({ job: hash(number), offer: offer(1).id, devices: [] }))
const onGpu: Match = { job: hash(3), offer: offer(2).id, devices: [0] }
const solution = (...matches: Match[]): { epoch: number, engine: string, matches: Match[] } => ({ epoch: 7, engine: 'test', matches })
const rules = { fairnessBp: 8000, fairnessMatches: 1, fairnessPairs: 100 }

function opened (solver: number, ...matches: Match[]): Opened {
  const bytes = encodeSolution(solution(...matches))
  const reveal = { epoch: 7, solver: address(solver), solution: bytes, certificateId: hash(0), salt: hash(solver), signature: '0x' as const }
  return { reveal, statement: statementOf(reveal), solution: solution(...matches), solutionId: solutionIdOf(bytes) }
}

t.test('a class counts what its matches count, by the model of the first device', async (t) => {
  const scores = classScoresOf(snapshot, solution(...plain, onGpu, { job: hash(9), offer: offer(1).id, devices: [] }))
  t.same([...scores.keys()], ['cpu', 'big'])
  t.equal(scores.get('cpu'), 200n)
  t.ok((scores.get('big') as bigint) > 200n)
})

t.test('each class must have its share of the floor, and what the floor leaves out binds nobody', async (t) => {
  const floor = new Map([['cpu', 1000n], ['big', 10n]])
  t.equal(isFair(new Map([['cpu', 800n], ['big', 8n]]), floor, 8000), true)
  t.equal(isFair(new Map([['cpu', 799n], ['big', 10_000n]]), floor, 8000), false)
  t.equal(isFair(new Map([['cpu', 1000n]]), floor, 8000), false)
  t.equal(isFair(new Map([['cpu', 1n]]), new Map(), 8000), true)
  t.ok(yardstickOf(snapshot, { ...rules, fairnessPairs: 6 }))
  t.equal(yardstickOf(snapshot, { ...rules, fairnessPairs: 5 }), undefined, 'a book whose floor takes too long')
  t.same([...yardstickOf(snapshot, { ...rules, fairnessMatches: 2 }) ?? []].map(([name]) => name), ['cpu'], 'of one match one decides')
})

t.test('a solution that starves a class stands behind a fair one of lower score, and does not lower its reward', async (t) => {
  const reveals = [opened(1, onGpu), opened(2, ...plain)]
  const rank = createRanking()
  t.same(rank(snapshot, reveals).map(({ solver, winner }) => [solver, winner]), [[address(1), true], [address(2), false]])
  // The records that solvers could know: without the GPU job.
  const yardstick = { snapshot: book([job(1), job(2)], [offer(1), offer(2)]), rules }
  const ranking = rank(snapshot, reveals, yardstick)
  t.match(ranking, [{ solver: address(2), fair: true, winner: true }, { solver: address(1), fair: false, winner: false }])
  t.ok((ranking[0]?.score ?? 0) < (ranking[1]?.score ?? 0))
  t.equal(rewardOf(snapshot, ranking, ranking[0]?.solutionId ?? hash(0))?.lead, ranking[0]?.score)
  t.same(createRanking()(snapshot, reveals, { ...yardstick, rules: { ...rules, fairnessPairs: 0 } })[0]?.solver, address(1), 'not asked of large books')
  t.equal(rank(snapshot, [opened(1, onGpu)], yardstick)[0]?.winner, true, 'where nobody is fair the best wins')
})
