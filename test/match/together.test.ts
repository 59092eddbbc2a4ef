import t from 'tap'
import { fitSolution } from '../../src/match/fit.ts'
import { solveFloor } from '../../src/match/floor.ts'
import { marketOf } from '../../src/match/market.ts'
import type { JobRow, Match, OfferRow, Snapshot } from '../../src/match/problem.ts'
import { resolveSolution } from '../../src/match/resolve.ts'
import { verifySolution, type Verified } from '../../src/match/verify.ts'
import type { JobOffer } from '../../src/wire/job-offer.ts'
import { decodeSolution, encodeSolution } from '../../src/wire/solution.ts'
import type { Hash } from '../../src/wire/shapes.ts'
import { address, book, hash, job, offer } from './rows.ts'

const replicated = (replicas: number): Partial<JobOffer> => ({ verification: { strategy: 'replicate', replicas, quorum: replicas } })
const member = (number: number, index: number, size: number, fields: Partial<JobOffer> = {}): JobRow => job(number, { group: { id: hash(1), index, size }, ...fields }, address(7))
const match = (jobNumber: number, offerNumber: number): Match => ({ job: hash(jobNumber), offer: hash(1_000_000 + offerNumber), devices: [] })
const verify = (snapshot: Snapshot, ...matches: Match[]): Verified => verifySolution(snapshot, { epoch: 7, engine: 'x', matches })
const placed = (snapshot: Snapshot): string[] => solveFloor(snapshot).matches.map(({ job: id, offer: at }) => `${Number(BigInt(id) >> 192n)} on ${Number(BigInt(at) >> 192n) - 1_000_000}`).sort()
const offers = (count: number): OfferRow[] => Array.from({ length: count }, (_, at) => offer(at + 1))
/** Another row whose id begins alike. */
const twinOf = (id: Hash): Hash => `${id.slice(0, -1)}1` as Hash

t.test('a job of k replicas is matched k times at different providers, or not at all', async (t) => {
  const snapshot = book([job(1, replicated(2))], [...offers(2), offer(3, { unit: 'other' }, { account: address(2001) })])
  t.match(verify(snapshot, match(1, 1), match(1, 2)), { ok: true, counted: 2, score: 200 }, 'each replica counts')
  t.match(verify(snapshot, match(1, 1)), { ok: false, code: 'MATCH_REPLICAS' })
  t.match(verify(snapshot, match(1, 1), match(1, 2), match(1, 3)), { ok: false, code: 'MATCH_REPLICAS' })
  t.match(verify(snapshot, match(1, 1), match(1, 3)), { ok: false, code: 'MATCH_REPLICAS' }, 'two units of one account')
  t.same(placed(snapshot), ['1 on 1', '1 on 2'])
  t.same(placed(book([job(1, replicated(3))], offers(2))), [], 'two providers are not three')
})

t.test('replicas take as many job numbers; a job with one of them excludes the others', async (t) => {
  const rows = [job(1, { jobNumber: 4, ...replicated(2) }), job(2, { jobNumber: 5 }, address(1001)), job(3, { jobNumber: 6 }, address(1001))]
  const snapshot = book(rows, offers(2))
  t.match(verify(snapshot, match(1, 1), match(1, 2), match(2, 1)), { code: 'MATCH_JOB_TWICE' })
  t.match(verify(snapshot, match(1, 1), match(1, 2), match(3, 1)), { ok: true, counted: 3 })
})

t.test('a group is matched whole or not at all', async (t) => {
  const room = (cpuMilli: number): OfferRow => offer(1, { capacity: { cpuMilli, memoryMiB: 100, diskMiB: 100 } })
  const pair = [member(1, 0, 2), member(2, 1, 2)]
  t.same(placed(book(pair, [room(20)])), ['1 on 1', '2 on 1'])
  t.same(placed(book(pair, [room(19)])), [])
  t.same(placed(book([...pair, job(3, { limit: 160 })], [room(19)])), ['3 on 1'], 'what does not fit whole holds nothing up')
  t.match(verify(book(pair, offers(2)), match(1, 1), match(2, 2)), { ok: true, counted: 2 })
  t.match(verify(book(pair, offers(2)), match(1, 1)), { code: 'MATCH_GROUP' })
})

t.test('a group that is not complete, or ambiguous, counts nothing and spoils nothing', async (t) => {
  const other = job(9)
  const books: Array<[string, JobRow[]]> = [
    ['a member is missing', [member(1, 0, 2)]],
    ['an index twice', [member(1, 0, 2), member(2, 0, 2)]],
    ['another size', [member(1, 0, 2), member(2, 1, 3)]],
    ['one too many', [member(1, 0, 2), member(2, 1, 2), member(3, 1, 2)]],
    ['a short id twice', [member(1, 0, 2), member(2, 1, 2), { ...job(8), id: twinOf(hash(2)) }]],
    ['of another account', [member(1, 0, 2), { ...member(2, 1, 2), account: address(8) }]]
  ]
  for (const [name, rows] of books) {
    const snapshot = book([...rows, other], offers(2))
    t.match(verify(snapshot, match(1, 1), match(9, 1)), { ok: true, counted: 1, unknown: 1 }, name)
    t.equal(marketOf(snapshot).jobs.find(({ id }) => id === hash(1))?.incomplete, true, name)
    t.ok(placed(snapshot).every((text) => !text.startsWith('1 ')), name)
  }
})

t.test('one unknown match makes all that hangs on it unknown', async (t) => {
  const snapshot = book([job(1, replicated(2)), member(2, 0, 2), member(3, 1, 2), job(4)], offers(1))
  t.match(verify(snapshot, match(1, 1), match(1, 99), match(4, 1)), { ok: true, counted: 1, unknown: 2, score: 100 }, 'a made-up second provider earns nothing')
  t.match(verify(snapshot, match(2, 1), match(3, 99), match(4, 1)), { ok: true, counted: 1, unknown: 2 })
  t.match(verify(snapshot, match(1, 1), match(4, 1)), { code: 'MATCH_REPLICAS' }, 'one too few is seen all the same')
})

t.test('short ids name the rows of the snapshot; one that two rows share is unknown', async (t) => {
  const [one, two] = [job(1), job(2)]
  const wire = decodeSolution(encodeSolution({ epoch: 7, engine: 'x', matches: [match(1, 1), match(2, 1), match(5, 1)] }))
  const snapshot = book([one, two], offers(1))
  t.same(resolveSolution(snapshot, wire).matches.map(({ job: id }) => id), [hash(1), hash(2), hash(5).slice(0, 18)])
  t.match(verifySolution(snapshot, resolveSolution(snapshot, wire)), { ok: true, counted: 2, unknown: 1 })
  const doubled = book([one, two, { ...job(6), id: twinOf(hash(1)) }], offers(1))
  t.match(verifySolution(doubled, resolveSolution(doubled, wire)), { ok: true, counted: 1, unknown: 2 })
  t.same(fitSolution(doubled, { epoch: 7, engine: 'x', matches: [match(1, 1), match(2, 1)] }).matches, [match(2, 1)], 'a solver does not send what counts nothing')
})

t.test('what goes together is sent together or left out', async (t) => {
  const rows = [job(1, { ...replicated(2), limit: 170 }), member(2, 0, 2, { limit: 180 }), member(3, 1, 2, { limit: 180 }), ...Array.from({ length: 20 }, (_, at) => job(at + 10))]
  const snapshot = book(rows, offers(4))
  const solution = solveFloor(snapshot)
  t.equal(solution.matches.length, 24)
  for (let bytes = 100; bytes < 400; bytes += 7) {
    const small = fitSolution(snapshot, solution, bytes)
    const { ok, counted } = verifySolution(snapshot, small)
    if (!ok || counted !== small.matches.length || encodeSolution(small).length > bytes) t.fail(`${bytes} bytes: ${counted} of ${small.matches.length}`)
  }
})
