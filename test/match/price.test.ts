import fc from 'fast-check'
import t from 'tap'
import { askFor, collateralFor, feeFor, priceFor, referenceAlone } from '../../src/match/price.ts'
import { job, offer, RULES } from './rows.ts'

const max = Number.MAX_SAFE_INTEGER
const body = (fields = {}): ReturnType<typeof job>['offer'] => job(1, fields).offer

t.test('ask and reference are base + runSeconds * the sum of the unit prices', async (t) => {
  const demand = body({ resources: { cpuMilli: 3, memoryMiB: 5, diskMiB: 7 }, runSeconds: 11 })
  const unit = { base: 13, cpuMilliSecond: 17, memoryMiBSecond: 19, diskMiBSecond: 23 }
  t.equal(askFor(demand, offer(1, { ask: unit }).offer, []), 13 + 11 * (3 * 17 + 5 * 19 + 7 * 23))
  t.equal(referenceAlone(demand, { ...RULES, reference: { ...RULES.reference, ...unit } }), 13 + 11 * (3 * 17 + 5 * 19 + 7 * 23))
})

t.test('an ask above 2^53 - 1 is Infinity and never a rounded number', async () => {
  await fc.assert(fc.asyncProperty(fc.maxSafeNat(), fc.maxSafeNat(), fc.nat(1_000_000), fc.integer({ min: 1, max: 604_800 }), async (base, price, cpuMilli, runSeconds) => {
    const ask = askFor(body({ resources: { cpuMilli, memoryMiB: 1, diskMiB: 0 }, runSeconds }), offer(1, { ask: { base, cpuMilliSecond: price, memoryMiBSecond: 1, diskMiBSecond: 0 } }).offer, [])
    const exact = BigInt(base) + BigInt(runSeconds) * (BigInt(cpuMilli) * BigInt(price) + 1n)
    return exact > BigInt(max) ? ask === Infinity : BigInt(ask) === exact
  }))
})

t.test('the price is the reference, clamped between ask and limit', async (t) => {
  const one = offer(1).offer
  t.equal(priceFor(body({ limit: 250 }), one, RULES, []), 200)
  t.equal(priceFor(body({ limit: 180 }), one, RULES, []), 180)
  t.equal(priceFor(body({ limit: 400 }), offer(1, { ask: { ...one.ask, base: 199 } }).offer, RULES, []), 299)
})

t.test('the fee is floored and has a minimum; collateral is rounded up', async (t) => {
  t.equal(feeFor(1_049, RULES), 20)
  t.equal(feeFor(100, RULES), 5)
  t.equal(collateralFor(201, RULES, { collateralBp: 0 }), 503)
  await fc.assert(fc.asyncProperty(fc.maxSafeNat(), fc.nat(1_000_000), fc.nat(1_000_000), async (price, network, demanded) => {
    const exact = (BigInt(price) * BigInt(Math.max(network, demanded)) + 9_999n) / 10_000n
    const got = collateralFor(price, { ...RULES, collateralBp: network }, { collateralBp: demanded })
    return exact > BigInt(max) ? got === Infinity : BigInt(got) === exact
  }))
})
