import fc from 'fast-check'
import t from 'tap'
import { isNear, nearest } from '../../src/match/certifier.ts'
import { classOf, classPriceFor, isThin, lowerMedian } from '../../src/match/class-price.ts'
import { solveFloor } from '../../src/match/floor.ts'
import { verifySolution } from '../../src/match/verify.ts'
import { certificateOf, createTestCertifier } from '../support/certifier.ts'
import { anyBook, book, hash, job, offer } from './rows.ts'

const certifier = createTestCertifier()
// The ask is 150 and the demand 10 milli-cores, 10 MiB, 10 MiB.
const pair = (limit = 250): { job: ReturnType<typeof job>, offer: ReturnType<typeof offer>, devices: number[] } => ({ job: job(1, { limit }), offer: offer(1), devices: [] })
const bounded = (number: number, bound: bigint): { id: ReturnType<typeof hash>, certificate: Uint8Array, bound: bigint } => ({ id: hash(number), certificate: certificateOf(number), bound })

t.test('the price is ask and rent, never below the ask, never above the limit', async (t) => {
  const snapshot = book([pair().job], [pair().offer])
  const price = (certificates: Uint8Array[], limit?: number): number | undefined => classPriceFor(certifier, snapshot, certificates, pair(limit))
  t.equal(price([]), undefined)
  t.equal(price([certificateOf(0)]), 150)
  t.equal(price([certificateOf(3, 2)]), 200)
  t.equal(price([certificateOf(3, 2)], 190), 190)
  t.equal(price([certificateOf(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)]), 250, 'beyond 2^53')
})

t.test('each rent is the lower median by itself, and what is left out costs nothing', async (t) => {
  t.same(lowerMedian([[1, 9], [2, 8], [3, 7]]), [2, 8])
  t.same(lowerMedian([[1, 9], [2, 8]]), [1, 8])
  t.same(lowerMedian([[5], [6, 7], []]), [5, 0])
  t.same(lowerMedian([]), [])
  const snapshot = book([pair().job], [pair().offer])
  t.equal(classPriceFor(certifier, snapshot, [1, 2, 1_000_000].map((cpu) => certificateOf(cpu)), pair()), 170, 'one of three moves nothing')
})

t.test('certificates near the lowest bound count, the lowest first', async (t) => {
  const rules = { nearBp: 100, maxCertificates: 2 }
  t.same([1000n, 1010n, 1011n].map((bound) => isNear(bound, 1000n, 100)), [true, true, false])
  t.same(nearest([bounded(1, 1011n), bounded(2, 1010n), bounded(3, 1000n)], rules).map(({ id }) => id), [hash(3), hash(2)])
  t.same(nearest([bounded(1, 1005n), bounded(2, 1005n), bounded(3, 1000n)], rules).map(({ id }) => id), [hash(3), hash(1)], 'of equals the one that stood first')
  t.same(nearest([], rules), [])
})

t.test('a class with few accounts on a side is thin, however many offers it has', async (t) => {
  const same = offer(1).account
  const jobs = [job(1), job(2), job(3)]
  t.equal(isThin(book(jobs, [offer(1), offer(2), offer(3)]), 'cpu', 3), false)
  t.equal(isThin(book(jobs, [offer(1), offer(2), offer(3, {}, { account: same })]), 'cpu', 3), true)
  t.equal(isThin(book([job(1), job(2), job(3, {}, job(1).account)], [offer(1), offer(2), offer(3)]), 'cpu', 3), true)
  const gpu = { model: 't4', vramMiB: 16, shareBp: 10_000, secondAsk: 1 }
  const wants = { gpus: [{ models: [], vramMiB: 1, shareBp: 1 }] }
  const withGpus = book([job(1, wants), job(2, wants), job(3)], [offer(1, { gpus: [gpu] }), offer(2, { gpus: [gpu] })])
  t.same([isThin(withGpus, 't4', 2), isThin(withGpus, 'a100', 2), isThin(withGpus, 'cpu', 2)], [false, true, true])
  t.same([classOf({ offer: offer(1), devices: [] }), classOf({ offer: offer(1, { gpus: [gpu] }), devices: [0] })], ['cpu', 't4'])
})

t.test('the bound that the tests use holds for the floor on any book', async () => {
  const plainBook = anyBook.map((snapshot) => ({ ...snapshot, jobs: snapshot.jobs.filter(({ offer }) => offer.gpus.length === 0) }))
  fc.assert(fc.property(plainBook, fc.nat(50), fc.nat(50), (snapshot, cpu, memory) => (certifier.bound(snapshot, certificateOf(cpu, memory)) as bigint) >= BigInt(verifySolution(snapshot, solveFloor(snapshot)).score)), { numRuns: 200, seed: 3 })
})
