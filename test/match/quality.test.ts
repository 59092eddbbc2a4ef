import t from 'tap'
import { createSeededRandom } from '../../src/core/random.ts'
import { matchesOf } from '../../src/match/assemble.ts'
import { verifyBound } from '../../src/match/bound.ts'
import { certificateOf } from '../../src/match/certificate.ts'
import { createInstance } from '../../src/match/instance.ts'
import { kernelOf } from '../../src/match/kernel/kernel.ts'
import { DEFAULT_MATCH_RULES } from '../../src/match/options.ts'
import { programOf } from '../../src/match/search/program.ts'
import { search } from '../../src/match/search/search.ts'
import { verifySolution } from '../../src/match/verify.ts'
import { AT_MS } from './rows.ts'

/** The share of its own certified bound that the search reaches in so many rounds: rounds and steps, no time, so that every machine gets the same. */
function shareAfter (maxRounds: number, seed: number): number {
  const snapshot = createInstance(createSeededRandom(seed), { jobs: 400, offers: 60, rules: DEFAULT_MATCH_RULES, nowMs: AT_MS, gpuPercent: 25 })
  const kernel = kernelOf(snapshot)
  const found = search(programOf(kernel), { budgetMs: 1, seed, now: () => 0, report: () => undefined, maxRounds, steps: 80 })
  const { ok, score } = verifySolution(snapshot, { epoch: snapshot.epoch, engine: 'price', matches: matchesOf(kernel, found.places) })
  return ok ? score / Number(verifyBound(snapshot, certificateOf(kernel, found.prices))) : 0
}

/** Between what the first solution has (0.922, 0.907, 0.940) and what the rounds make of it (0.940, 0.931, 0.955). */
const LEAST: ReadonlyMap<number, number> = new Map([[1, 0.935], [2, 0.926], [3, 0.95]])

t.test('the search reaches its share of the bound in a fixed number of rounds', async (t) => {
  for (const [seed, least] of LEAST) {
    const [first, last] = [shareAfter(0, seed), shareAfter(2048, seed)]
    t.ok(first >= 0.9, `seed ${seed}: the first solution has ${first.toFixed(4)}`)
    t.ok(last >= least, `seed ${seed}: ${last.toFixed(4)} after the rounds`)
  }
})
