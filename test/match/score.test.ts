import t from 'tap'
import { createSeededRandom } from '../../src/core/random.ts'
import { askFor, collateralFor, priceFor, referenceAlone, referenceFor } from '../../src/match/price.ts'
import { ageFor, bandFor, premiumFor, welfareOf } from '../../src/match/score.ts'
import { isTick, tickFor } from '../../src/match/ticks.ts'
import type { JobOffer } from '../../src/wire/job-offer.ts'
import type { ResourceOffer } from '../../src/wire/resource-offer.ts'
import { moneyOf } from './definition.ts'
import { address, book, job, offer, RULES } from './rows.ts'

const LARGEST = Number.MAX_SAFE_INTEGER

t.test('limit and ask count within the band only', async (t) => {
  const one = offer(1)
  t.same(bandFor(200, RULES), { low: 140, high: 260 })
  t.equal(welfareOf(job(1, { limit: 250 }), one, RULES, []), 100)
  t.equal(welfareOf(job(1, { limit: 9_999_999 }), one, RULES, []), 110, 'a limit above the band adds nothing')
  t.equal(welfareOf(job(1, { limit: 250 }), offer(1, { ask: { ...one.offer.ask, base: 0, cpuMilliSecond: 0 } }), RULES, []), 110, 'nor does an ask below it')
})

t.test('a match counts at least one tick, a narrowed pair exactly one', async (t) => {
  t.equal(welfareOf(job(1, { limit: 150 }), offer(1), RULES, []), 1, 'a limit that equals the ask')
  t.equal(welfareOf(job(1, { limit: 100 }), offer(1, { ask: { base: 90, cpuMilliSecond: 0, memoryMiBSecond: 0, diskMiBSecond: 0 } }), RULES, []), 1, 'both below the band')
  t.equal(welfareOf({ ...job(1, { targets: [address(9)] }), ageEpochs: 30 }, offer(1), RULES, []), 1)
  t.equal(welfareOf(job(1), offer(1, { creators: [address(1001)] }), RULES, []), 1)
})

t.test('missing reputation stands on the ask, bounded; it lowers the score and not the price', async (t) => {
  const unknown = offer(1, {}, { reputationBp: 0 })
  t.equal(premiumFor(150, unknown, RULES), 15)
  t.equal(premiumFor(150, { reputationBp: 5000 }, RULES), 7, 'floored')
  t.equal(premiumFor(150, offer(1), RULES), 0)
  t.equal(welfareOf(job(1), unknown, RULES, []), 85)
  t.equal(priceFor(job(1).offer, unknown.offer, RULES, []), priceFor(job(1).offer, offer(1).offer, RULES, []))
  t.equal(welfareOf(job(1, { limit: 150 }), unknown, RULES, []), 1, 'never below a tick')
})

t.test('epochs of waiting add to the limit, as many as count', async (t) => {
  const rules = { ...RULES, ageBp: 100, maxAgeEpochs: 20 }
  const waited = (ageEpochs: number): number => welfareOf({ ...job(1), ageEpochs }, offer(1), rules, [])
  t.same([0, 1, 20, 21, 1_000_000].map(waited), [100, 102, 140, 140, 140])
  t.equal(ageFor({ ...job(1), ageEpochs: 3 }, rules), 6)
})

t.test('GPUs cost their share of a second, rounded up once for all, by the price and the model of each device', async (t) => {
  const body = job(1, { runSeconds: 10, gpus: [{ models: [], vramMiB: 0, shareBp: 2500 }, { models: ['big'], vramMiB: 0, shareBp: 3 }] }).offer
  const two = offer(1, { gpus: [{ model: 'big', vramMiB: 1, shareBp: 10_000, secondAsk: 7 }, { model: 'small', vramMiB: 1, shareBp: 10_000, secondAsk: 30 }] }).offer
  t.equal(askFor(body, two, [1, 0]), 50 + 100 + Math.ceil(10 * (2500 * 30 + 3 * 7) / 10_000))
  t.equal(referenceFor(body, two, RULES, [1, 0]), 100 + 100 + Math.ceil(10 * (2500 * 20 + 3 * 60) / 10_000))
  t.equal(referenceFor(body, two, RULES, [0, 1]), 100 + 100 + Math.ceil(10 * (2500 * 60 + 3 * 20) / 10_000))
  t.equal(referenceAlone(body, RULES), referenceFor(body, two, RULES, [1, 0]), 'alone: any model at the default, the named one at its own price')
})

t.test('ticks are all small integers, then steps of 2 %, up to the largest', async (t) => {
  t.ok(Array.from({ length: 101 }, (_, price) => price).every(isTick))
  t.same([101, 102, 103, 104].map(isTick), [false, true, false, true])
  t.same([101, 150, 151, 10_000].map(tickFor), [102, 150, 153, 10_091])
  let tick = 0
  let count = 1
  for (let next = tickFor(1); next > tick; next = tickFor(Math.min(LARGEST, tick + 1))) {
    t.ok(next - tick <= Math.max(1, tick / 50) && isTick(next))
    tick = next
    count++
  }
  t.equal(count, 1736)
  t.ok(tick * 1.02 > LARGEST)
})

/** Draws the ends and the middle of what a field may be. */
const extremes = (below: (bound: number) => number) => (...limits: number[]): number => {
  const most = limits[below(limits.length)] as number
  return [0, 1, most, most, Math.floor(most / 2), Math.max(0, most - 1)][below(6)] as number
}

t.test('at the limits of every field amounts are exact or Infinity, never rounded', async (t) => {
  const random = createSeededRandom(9)
  const some = extremes((bound) => random.below(bound))
  let large = 0
  for (let round = 0; round < 20_000; round++) {
    const gpus: JobOffer['gpus'] = Array.from({ length: random.below(3) }, () => ({ models: [], vramMiB: 0, shareBp: Math.max(1, some(10_000)) }))
    const unit = { base: some(LARGEST), cpuMilliSecond: some(LARGEST, 100), memoryMiBSecond: some(LARGEST, 10), diskMiBSecond: some(LARGEST, 2) }
    const devices: ResourceOffer['gpus'] = gpus.map(() => ({ model: 'big', vramMiB: 0, shareBp: 10_000, secondAsk: some(LARGEST, 1000) }))
    const left = { ...job(1, { resources: { cpuMilli: some(1_000_000), memoryMiB: some(16_777_216), diskMiB: some(1_073_741_824) }, runSeconds: Math.max(1, some(604_800, 9000, 7)), limit: some(LARGEST), collateralBp: some(1_000_000), gpus }), ageEpochs: some(1_000_000) }
    const right = offer(1, { ask: unit, gpus: devices }, { reputationBp: some(10_000) })
    const rules = { ...RULES, reference: { base: some(LARGEST), cpuMilliSecond: some(LARGEST, 100), memoryMiBSecond: some(100), diskMiBSecond: 0, gpuSecond: { default: some(LARGEST, 50), models: { big: some(LARGEST) } } }, bandBp: some(10_000), maxPremiumBp: some(10_000), ageBp: some(100), maxAgeEpochs: some(100) }
    const places = devices.map((_, at) => at)
    const exact = moneyOf({ job: left, offer: right, devices: places }, { ...book([], [], rules) })
    const is = (got: number, wanted: bigint): boolean => wanted > BigInt(LARGEST) ? got === Infinity : Number.isSafeInteger(got) && BigInt(got) === wanted
    const ask = askFor(left.offer, right.offer, places)
    if (ask === Infinity) large++
    if (!is(ask, exact.ask) || !is(referenceFor(left.offer, right.offer, rules, places), exact.reference)) t.fail(`ask ${ask} ${exact.ask}`)
    if (!Number.isSafeInteger(ask) || ask > left.offer.limit || exact.reference > BigInt(LARGEST)) continue
    const price = priceFor(left.offer, right.offer, rules, places)
    if (!is(price, exact.price) || !is(collateralFor(price, rules, left.offer), exact.collateral)) t.fail(`price ${price} ${exact.price}`)
    const welfare = welfareOf(left, right, rules, places)
    if (BigInt(welfare) !== exact.welfare) t.fail(`welfare ${welfare} ${exact.welfare} ${JSON.stringify({ left, right, rules })}`)
  }
  t.ok(large > 1000 && large < 19_000, `${large} of 20,000 beyond counting`)
})
