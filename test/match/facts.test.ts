import fc from 'fast-check'
import t from 'tap'
import { admissible } from '../../src/match/admissible.ts'
import { devicesServe, variantsOf, type Devices } from '../../src/match/devices.ts'
import { factsOf } from '../../src/match/facts/facts.ts'
import { termsOf, type Terms } from '../../src/match/facts/pair.ts'
import { marketOf } from '../../src/match/market.ts'
import { collateralFor, priceFor } from '../../src/match/price.ts'
import type { JobRow, OfferRow, Snapshot } from '../../src/match/problem.ts'
import { welfareOf } from '../../src/match/score.ts'
import { tickFor } from '../../src/match/ticks.ts'
import { verifySolution } from '../../src/match/verify.ts'
import { address, anyBook, AT_MS, book, hash, job, offer, RULES } from './rows.ts'

const WILD: Devices[] = [[], [0], [1], [1, 0], [0, 0], [0, 2], [63], [-1], [0.5]]

/** Every pair on every list of devices: what numbers say, and what the records say. */
function * compared (snapshot: Snapshot): Generator<{ job: JobRow, offer: OfferRow, byNumbers: Terms | undefined, byRecords: Terms | undefined }> {
  const market = marketOf(snapshot)
  const facts = factsOf(market)
  for (const [jobAt, row] of market.jobs.entries()) {
    for (const [offerAt, other] of market.stated.entries()) {
      for (const devices of [...variantsOf(row.offer, other.offer), ...WILD]) {
        const byNumbers = termsOf(market, facts, facts.readJob(jobAt), facts.readOffer(offerAt), devices)
        const holds = devicesServe(row.offer, other.offer, devices) && admissible(row, other, market, devices).ok
        const byRecords = holds ? { welfare: welfareOf(row, other, market.rules, devices), collateral: collateralFor(priceFor(row.offer, other.offer, market.rules, devices), market.rules, row.offer) } : undefined
        yield { job: row, offer: other, byNumbers, byRecords }
      }
    }
  }
}

const differs = (byNumbers: Terms | undefined, byRecords: Terms | undefined): boolean => byNumbers !== undefined && (byRecords === undefined || byNumbers.welfare !== byRecords.welfare || byNumbers.collateral !== byRecords.collateral)

t.test('numbers never say other than the records, and decide all but pairs with lists', async (t) => {
  let decided = 0
  fc.assert(fc.property(anyBook, (snapshot) => {
    for (const { job, offer, byNumbers, byRecords } of compared(snapshot)) {
      if (differs(byNumbers, byRecords)) return false
      const hasLists = job.offer.targets.length + job.offer.avoid.length + offer.offer.creators.length > 0
      if (byRecords !== undefined && byNumbers === undefined && !hasLists) return false
      if (byNumbers !== undefined) decided++
    }
    return true
  }), { numRuns: 400, seed: 1 })
  t.ok(decided > 300, `${decided} pairs`)
})

const amount = fc.oneof(fc.nat(100), fc.nat(3000), fc.integer({ min: 2 ** 40, max: Number.MAX_SAFE_INTEGER }), fc.constantFrom(2 ** 52, Number.MAX_SAFE_INTEGER))

t.test('so at the limits of integers', async (t) => {
  let counted = 0
  const big = fc.record({ limit: amount, base: amount, second: amount, gpu: amount, free: amount, reference: amount, share: fc.integer({ min: 1, max: 10_000 }), cpuMilli: fc.constantFrom(0, 1, 1_000_000), lockBp: fc.constantFrom(0, 25_000, 1_000_000), bandBp: fc.constantFrom(0, 3000, 10_000) })
  fc.assert(fc.property(big, (one) => {
    const rules = { ...RULES, bandBp: one.bandBp, collateralBp: 0, reference: { ...RULES.reference, gpuSecond: { default: one.reference, models: {} } } }
    const wants = job(1, { limit: one.limit, collateralBp: one.lockBp, resources: { cpuMilli: one.cpuMilli, memoryMiB: 1, diskMiB: 1 }, gpus: [{ models: [], vramMiB: 0, shareBp: one.share }] })
    const has = offer(1, { capacity: { cpuMilli: 1_000_000, memoryMiB: 1, diskMiB: 1 }, ask: { base: tickFor(one.base), cpuMilliSecond: tickFor(one.second), memoryMiBSecond: 0, diskMiBSecond: 0 }, gpus: [{ model: 'x', vramMiB: 0, shareBp: 10_000, secondAsk: tickFor(one.gpu) }] }, { freeCollateral: one.free })
    for (const { byNumbers, byRecords } of compared(book([wants], [has], rules))) {
      if (differs(byNumbers, byRecords)) return false
      if (byNumbers !== undefined) counted++
    }
    return true
  }), { numRuns: 3000, seed: 2 })
  t.ok(counted > 100, `${counted} pairs`)
})

t.test('names beyond those that have a bit, and accounts that end alike, are left to the records', async (t) => {
  const crowd = Array.from({ length: 40 }, (_, at) => ({ mediator: address(5000 + at), engine: `e${at}`, model: `m${at}` }))
  const offers = crowd.map(({ mediator, engine, model }, at) => offer(at + 1, { mediators: [mediator], engines: [engine], gpus: [{ model, vramMiB: 8, shareBp: 10_000, secondAsk: 1 }] }))
  const jobs = crowd.map(({ mediator, engine, model }, at) => job(at + 1, { mediators: [mediator], engine, gpus: [{ models: [model], vramMiB: 0, shareBp: 5000 }], limit: 5000 }))
  const crowded = book(jobs, offers)
  const all = [...compared(crowded)]
  t.equal(all.filter(({ byNumbers, byRecords }) => differs(byNumbers, byRecords)).length, 0)
  t.ok(all.filter(({ byNumbers, byRecords }) => byNumbers === undefined && byRecords !== undefined).length > 5, 'some are left')
  t.match(verifySolution(crowded, { epoch: 7, engine: 'x', matches: jobs.map(({ id }, at) => ({ job: id, offer: hash(1_000_001 + at), devices: [0] })) }), { ok: true, counted: 40 })
  const alike = book([job(1, {}, `0xff${address(2001).slice(4)}` as typeof offers[0]['account'])], [offer(1)])
  t.match(verifySolution(alike, { epoch: 7, engine: 'x', matches: [{ job: hash(1), offer: hash(1_000_001), devices: [] }] }), { ok: true, counted: 1 })
  const own = book([job(1, { validUntil: AT_MS + 1 }, address(2001))], [offer(1)])
  const partial = book([job(1, { mediators: [address(1001), address(2001)] })], [offer(1, { mediators: [address(1001), address(2001)] })])
  t.match(verifySolution(partial, { epoch: 7, engine: 'x', matches: [{ job: hash(1), offer: hash(1_000_001), devices: [] }] }), { ok: false, reason: 'mediators' }, 'a party is no mediator')
  t.match(verifySolution(own, { epoch: 7, engine: 'x', matches: [{ job: hash(1), offer: hash(1_000_001), devices: [] }] }), { ok: false, reason: 'self' })
})
