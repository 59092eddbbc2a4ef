import fc from 'fast-check'
import type { Test } from 'tap'
import { createSystemClock } from '../../src/core/clock.ts'
import { verifyBound } from '../../src/match/bound.ts'
import type { Certificate } from '../../src/match/certificate.ts'
import type { Budget, Engine } from '../../src/match/engine.ts'
import type { Solution } from '../../src/match/problem.ts'
import { verifySolution } from '../../src/match/verify.ts'
import { anyBook, book, job, offer } from './rows.ts'

const clock = createSystemClock()

/** A generous budget: small books are done long before it. */
export function budgetOf (fields: Partial<Budget> = {}): Budget {
  return { deadlineMs: clock.now() + 20_000, seed: 1, signal: new AbortController().signal, clock, ...fields }
}

/** What every engine does, whoever wrote it. `runs`: how many random books, fewer for engines that start a process for each. */
export function testEngine (t: Test, name: string, engine: Engine, runs: number): void {
  t.test(`${name} answers with feasible solutions, each on the way too, and none above what its prices prove`, async () => {
    await fc.assert(fc.asyncProperty(anyBook, async (snapshot) => {
      const certificates: Certificate[] = []
      const improved: Solution[] = []
      const answer = await engine.solve(snapshot, budgetOf({ onPrices: (certificate) => { certificates.push(certificate) }, onImproved: (solution) => { improved.push(solution) } }))
      const all = [answer, ...improved].map((solution) => verifySolution(snapshot, solution))
      return all.every(({ ok, unknown }) => ok && unknown === 0) && certificates.every((certificate) => verifyBound(snapshot, certificate) >= (all[0]?.score ?? 0))
    }), { numRuns: runs, seed: 11 })
  })

  t.test(`${name} takes empty books`, async (t) => {
    for (const snapshot of [book([], []), book([job(1)], []), book([], [offer(1)])]) t.same((await engine.solve(snapshot, budgetOf())).matches, [])
  })

  t.test(`${name} starts from what no longer fits as from anything else`, async (t) => {
    const snapshot = book([job(1), job(2)], [offer(1)])
    const warm = { matches: [{ job: job(9).id, offer: offer(1).id, devices: [] }, { job: job(1).id, offer: offer(7).id, devices: [3] }, { job: job(2).id, offer: offer(1).id, devices: [0] }], certificate: { entries: [{ key: 5, prices: [1, 1, 1, 1, 1, 1, 1, 1] }] } }
    t.ok(verifySolution(snapshot, await engine.solve(snapshot, budgetOf({ warm }))).ok)
  })

  t.test(`${name} rejects with the reason of a signal that aborted before`, async (t) => {
    const controller = new AbortController()
    controller.abort(new Error('enough'))
    await t.rejects(engine.solve(book([job(1)], [offer(1)]), budgetOf({ signal: controller.signal })), { message: 'enough' })
  })
}
