import fc from 'fast-check'
import t from 'tap'
import { devicesFor, devicesLike, devicesServe, kindsOf, variantsOf } from '../../src/match/devices.ts'
import { marketOf } from '../../src/match/market.ts'
import { createPacking, packGreedily } from '../../src/match/packing.ts'
import { bundlesByBid, pairsOf } from '../../src/match/pairs.ts'
import { solveFloor } from '../../src/match/floor.ts'
import { verifySolution } from '../../src/match/verify.ts'
import type { GpuDemand } from '../../src/wire/job-offer.ts'
import type { GpuSupply } from '../../src/wire/resource-offer.ts'
import { address, anyBook, book, job, offer } from './rows.ts'

const entry = (fields: Partial<GpuDemand> = {}): GpuDemand => ({ models: [], vramMiB: 0, shareBp: 10_000, ...fields })
const gpu = (fields: Partial<GpuSupply> = {}): GpuSupply => ({ model: 'big', vramMiB: 16, shareBp: 10_000, secondAsk: 20, ...fields })
const wants = (...gpus: GpuDemand[]): ReturnType<typeof job>['offer'] => job(1, { gpus, limit: 100_000 }).offer
const has = (...gpus: GpuSupply[]): ReturnType<typeof offer>['offer'] => offer(1, { gpus }).offer

t.test('alone, a job takes the cheapest device that serves it, then the fullest, then the first', async (t) => {
  t.same(devicesFor(wants(entry()), has(gpu(), gpu({ secondAsk: 10 }))), [1])
  t.same(devicesFor(wants(entry({ shareBp: 100 })), has(gpu(), gpu({ shareBp: 200 }), gpu({ shareBp: 50 }))), [1])
  t.same(devicesFor(wants(entry()), has(gpu(), gpu())), [0])
  t.same(devicesFor(wants(), has()), [])
})

t.test('what can take few models chooses before what takes any, large VRAM before small', async (t) => {
  const [small, big] = [gpu({ model: 'small' }), gpu({ secondAsk: 10 })]
  t.same(devicesFor(wants(entry(), entry({ models: ['big'] })), has(small, big)), [0, 1])
  t.same(devicesFor(wants(entry(), entry({ vramMiB: 16 })), has(gpu({ vramMiB: 8 }), big)), [0, 1])
  t.equal(devicesFor(wants(entry(), entry()), has(gpu())), undefined)
})

t.test('entries of one job are on different devices; nothing else serves', async (t) => {
  const one = has(gpu(), gpu({ shareBp: 5000 }))
  t.equal(devicesServe(wants(entry({ shareBp: 1 }), entry({ shareBp: 1 })), one, [0, 1]), true)
  for (const devices of [[0, 0], [0], [0, 1, 1], [0, 2], [-1, 0], [0.5, 1]]) t.equal(devicesServe(wants(entry({ shareBp: 1 }), entry({ shareBp: 1 })), one, devices), false, devices.join())
  t.equal(devicesServe(wants(entry()), one, [1]), false)
})

t.test('engines try each kind of device, and the cheapest mixture; a list of many kinds is cut', async (t) => {
  t.same(variantsOf(wants(entry()), has(gpu(), gpu({ secondAsk: 10 }), gpu())), [[0], [1]])
  t.same(variantsOf(wants(entry(), entry()), has(gpu(), gpu({ secondAsk: 10 }), gpu())), [[1, 0], [0, 2]])
  t.equal(variantsOf(wants(entry()), has(...Array.from({ length: 64 }, (_, at) => gpu({ secondAsk: at })))).length, 8)
})

t.test('what is free of a kind is found whenever it is there', async () => {
  const shares = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 })
  fc.assert(fc.property(shares, fc.array(fc.nat(5), { minLength: 3, maxLength: 4 }), (demands, free) => {
    const demand = wants(...demands.map((shareBp) => entry({ shareBp })))
    const kinds = kindsOf(has(...free.map(() => gpu())))
    const found = devicesLike(demands.map(() => 0), demand, kinds, free)
    const ways = (at: number, taken: number[]): boolean => at === demands.length || free.some((room, place) => !taken.includes(place) && room >= (demands[at] as number) && ways(at + 1, [...taken, place]))
    return found === undefined ? !ways(0, []) : new Set(found).size === demands.length && found.every((place, at) => (free[place] as number) >= (demands[at] as number))
  }), { seed: 1 })
})

t.test('shares of several jobs fill a device before the next is begun, so that whole ones stay', async (t) => {
  const half = { gpus: [entry({ shareBp: 5000 })], limit: 100_000 }
  const two = offer(1, { gpus: [gpu(), gpu()] })
  const snapshot = book([job(1, half), job(2, half), job(3, { gpus: [entry()], limit: 50_000 })], [two])
  const { matches } = solveFloor(snapshot)
  t.equal(matches.length, 3)
  t.equal(verifySolution(snapshot, { epoch: 7, engine: 'x', matches }).ok, true)
})

t.test('alternative offers of a unit share the free share of a device by its place', async (t) => {
  const own = { account: address(9) }
  const half = { gpus: [entry({ shareBp: 6000 })], limit: 100_000 }
  const snapshot = book([job(1, half), job(2, half)], [offer(1, { gpus: [gpu()] }, own), offer(2, { gpus: [gpu({ model: 'other' }), gpu()] }, own)])
  const [one, two] = snapshot.offers.map(({ id }) => id) as [`0x${string}`, `0x${string}`]
  const [first, second] = snapshot.jobs.map(({ id }) => id) as [`0x${string}`, `0x${string}`]
  const code = (left: number, right: number): unknown => verifySolution(snapshot, { epoch: 7, engine: 'x', matches: [{ job: first, offer: one, devices: [left] }, { job: second, offer: two, devices: [right] }] }).code
  t.equal(code(0, 0), 'MATCH_DEVICES', '12,000 of 10,000')
  t.equal(code(0, 1), undefined)
  t.same(marketOf(snapshot).devices, [[10_000, 10_000]])
})

t.test('taking jobs out and putting them back leaves a packing as it was', async () => {
  fc.assert(fc.property(anyBook, fc.infiniteStream(fc.nat(20)), (snapshot, stream) => {
    const market = marketOf(snapshot)
    const pairs = pairsOf(market)
    const packing = createPacking(market, pairs)
    packGreedily(packing, pairs, bundlesByBid(pairs))
    // Copies of one job are as good as each other: their order means nothing.
    const now = (): string => JSON.stringify([packing.matches().map((match) => JSON.stringify(match)).sort(), packing.welfare()])
    const before = now()
    const all = packing.all()
    const seats = [...packing.placed.keys()].filter((seat) => (packing.placed[seat] as number) >= 0)
    const taken = seats.slice(0, stream.next().value as number).map((seat) => packing.remove(seat))
    // Others come and go meanwhile.
    packGreedily(packing, pairs, bundlesByBid(pairs))
    packing.reset(all)
    const again = seats.map((seat) => packing.remove(seat))
    for (const one of again.reverse()) packing.putBack(one)
    return taken.length <= seats.length && now() === before
  }), { numRuns: 200, seed: 5 })
})
