import fc from 'fast-check'
import t from 'tap'
import { matchesOf } from '../../src/match/assemble.ts'
import { boundAt, verifyBound } from '../../src/match/bound.ts'
import { certificateOf } from '../../src/match/certificate.ts'
import { solveFloor } from '../../src/match/floor.ts'
import { kernelOf } from '../../src/match/kernel/kernel.ts'
import { ROWS } from '../../src/match/kernel/share-rows.ts'
import { placeNarrowed } from '../../src/match/narrowed.ts'
import type { Snapshot, Solution } from '../../src/match/problem.ts'
import { programOf } from '../../src/match/search/program.ts'
import { search, type Found } from '../../src/match/search/search.ts'
import { verifySolution } from '../../src/match/verify.ts'
import { decodeCertificate, encodeCertificate } from '../../src/wire/certificate.ts'
import { anyBook } from './rows.ts'

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

t.test('certificates come back from their bytes', async () => {
  fc.assert(fc.property(anyBook, (snapshot) => {
    const certificate = certificateOf(kernelOf(snapshot), found(snapshot, 3).found.prices)
    return JSON.stringify(decodeCertificate(encodeCertificate(certificate))) === JSON.stringify(certificate)
  }), { numRuns: 40, seed: 3 })
})
