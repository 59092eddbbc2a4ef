import { matchesOf } from '../src/match/assemble.ts'
import { verifyBound } from '../src/match/bound.ts'
import { certificateOf } from '../src/match/certificate.ts'
import { kernelOf } from '../src/match/kernel/kernel.ts'
import { marketOf } from '../src/match/market.ts'
import { programOf } from '../src/match/search/program.ts'
import { search } from '../src/match/search/search.ts'
import { verifySolution } from '../src/match/verify.ts'
import { decodeCertificate, encodeCertificate } from '../src/wire/certificate.ts'
import { atMost, reported, type Bench, type Figure } from './figure.ts'
import { bookOf, cpuNow, rowsToMeasure } from './match/book.ts'

/** The kernel counts CPU time in ticks of 4 ms: a mean of so many tells more than a median. */
const ROUNDS = 21
/** Before them: code that is compiled once in a node's life, reported by itself. */
const WARM_UP = 2
/** Solutions that are checked after the first of a snapshot. */
const OTHERS = 3
const MAX_BYTES = 8192
const MAX_SOLUTION_MS = 15
const MAX_BOUND_MS = 60

/** What it costs to check a solution and a certificate of a book of 8,152 x 1,523, once the snapshot is indexed, and how many bytes prices are. */
export const benchCertificate: Bench = async ({ seed, trace, progress }) => {
  const figures: Figure[] = []
  for (const source of (await rowsToMeasure(trace, seed)).slice(0, 2)) {
    progress(`measuring ${source.name}`)
    const times = { index: [] as number[], first: [] as number[], further: [] as number[], classes: [] as number[], bound: [] as number[] }
    let bytes = 0
    let loss = 0
    for (let round = 0; round < WARM_UP + ROUNDS; round++) {
      const snapshot = bookOf(source, seed)
      const found = search(programOf(kernelOf(snapshot)), { budgetMs: 1500, seed, now: cpuNow, report: () => undefined, maxRounds: 0 })
      const solution = { epoch: snapshot.epoch, engine: 'price', matches: matchesOf(kernelOf(snapshot), found.places) }
      const encoded = encodeCertificate(certificateOf(kernelOf(snapshot), found.prices))
      const fresh = { ...snapshot }
      const time = (into: number[], task: () => void): void => {
        const started = cpuNow()
        task()
        into.push(cpuNow() - started)
      }
      time(times.index, () => marketOf(fresh))
      // The records that it names are read by the first; an auction checks up to 64 on one snapshot.
      for (const into of [times.first, ...Array.from({ length: OTHERS }, () => times.further)]) time(into, () => { if (!verifySolution(fresh, solution).ok) throw new Error('the solution is infeasible') })
      time(times.classes, () => kernelOf(fresh))
      time(times.bound, () => { loss = verifyBound(fresh, decodeCertificate(encoded)) / found.bound - 1 })
      bytes = encoded.length
    }
    const mean = (samples: readonly number[]): number => {
      const counted = samples.slice(samples.length * WARM_UP / (WARM_UP + ROUNDS))
      return counted.reduce((sum, each) => sum + each, 0) / counted.length
    }
    figures.push(
      atMost(`${source.name}: checking the first solution of a snapshot, mean`, mean(times.first), MAX_SOLUTION_MS, 'ms'),
      atMost(`${source.name}: checking a further one, mean`, mean(times.further), MAX_SOLUTION_MS, 'ms'),
      atMost(`${source.name}: checking a certificate, classes not included`, mean(times.bound), MAX_BOUND_MS, 'ms'),
      reported(`${source.name}: checking the very first of this list`, times.first[0] ?? 0, 'ms'),
      reported(`${source.name}: finding the snapshot's classes`, mean(times.classes), 'ms'), reported(`${source.name}: indexing the snapshot`, mean(times.index), 'ms'),
      atMost(`${source.name}: certificate`, bytes, MAX_BYTES, 'bytes'), reported(`${source.name}: looser by writing prices`, loss * 100, '%')
    )
  }
  return figures
}
