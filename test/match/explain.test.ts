import fc from 'fast-check'
import t from 'tap'
import { admissible, passes, REASONS } from '../../src/match/admissible.ts'
import { explainJob, explainOffer } from '../../src/match/explain.ts'
import { marketOf } from '../../src/match/market.ts'
import { address, anyBook, AT_MS, book, hash, job, MEDIATOR, offer } from './rows.ts'

t.test('the numbers of explain are those of trying every pair', async () => {
  fc.assert(fc.property(anyBook, (snapshot) => {
    // Rows with what they share; that an offer's own capacity is not more than its unit's is tested with verify.
    const { jobs, offers, rules, atMs } = marketOf(snapshot)
    const terms = { rules, atMs }
    return jobs.every((left) => {
      const got = explainJob(snapshot, left.id)
      return got.total === offers.length && got.admissible === offers.filter((right) => admissible(left, right, { rules, atMs }).ok).length &&
        REASONS.every((reason, at) => {
          const fails = offers.filter((right) => !passes(reason, left, right, terms)).length
          const remaining = offers.filter((right) => REASONS.slice(0, at + 1).every((one) => passes(one, left, right, terms))).length
          const step = got.steps.find((one) => one.reason === reason)
          return fails === 0 ? step === undefined : step?.fails === fails && step.remaining === remaining
        })
    }) && offers.every((right) => {
      const got = explainOffer(snapshot, right.id)
      return got.total === jobs.length && got.admissible === jobs.filter((left) => admissible(left, right, { rules, atMs }).ok).length &&
        got.steps.every((step) => step.fails === jobs.filter((left) => !passes(step.reason, left, right, terms)).length)
    })
  }), { numRuns: 200, seed: 4 })
})

t.test('the nearest miss says by how much to raise the limit, and that makes the pair match', async (t) => {
  const offers = [offer(1), offer(2, { ask: { base: 60, cpuMilliSecond: 1, memoryMiBSecond: 0, diskMiBSecond: 0 } }), offer(3, { engines: ['docker'] })]
  const got = explainJob(book([job(1, { limit: 140 })], offers), hash(1))
  t.equal(got.state, 'alone')
  t.same(got.nearest.map((miss) => miss.id), [offers[0]?.id, offers[1]?.id, offers[2]?.id])
  t.same(got.nearest[0]?.advice, [{ reason: 'price', text: 'raise the limit by 0.00000001 LILY', by: 10, own: true }])
  t.equal(explainJob(book([job(1, { limit: 149 })], offers), hash(1)).admissible, 0)
  t.equal(explainJob(book([job(1, { limit: 140 + 10 })], offers), hash(1)).admissible, 1)
})

t.test('what follows from raising the limit is said at once', async (t) => {
  // At the agreed price of 150 the provider must lock 375.
  const got = explainJob(book([job(1, { limit: 140 })], [offer(1, {}, { freeCollateral: 370 })]), hash(1))
  t.same(got.nearest[0]?.advice.map((entry) => [entry.reason, entry.by, entry.own]), [['price', 10, true], ['collateral', undefined, false]])
  t.match(got.nearest[0]?.advice[1]?.text, /short of 0.000000005 LILY/)
})

t.test('misses that the asker can mend come before those that only the other side can', async (t) => {
  const shut = offer(1, { creators: [address(1)] })
  const small = offer(2, { capacity: { cpuMilli: 1, memoryMiB: 1, diskMiB: 1 } })
  t.same(explainJob(book([job(1)], [shut, small]), hash(1)).nearest.map((miss) => miss.id), [small.id, shut.id])
})

t.test('every constraint has a sentence for both sides that names its number', async (t) => {
  const bad = job(1, {
    market: 'gpu', matchedUntil: AT_MS + 1, group: { id: hash(1), index: 0, size: 2 }, sealKey: hash(1), resources: { cpuMilli: 11, memoryMiB: 12, diskMiB: 13 }, runSeconds: 70, limit: 0, deadline: 0, validUntil: 0, mediators: [address(1)], targets: [address(1)], avoid: [address(5)], minReputationBp: 7000
  }, address(5))
  const worse = offer(1, {
    capacity: { cpuMilli: 10, memoryMiB: 10, diskMiB: 10 }, engines: ['docker'], modules: ['bafyother'], creators: [address(1)], mediators: [MEDIATOR], maxRunSeconds: 60, freeFrom: AT_MS + 10_001, ask: { base: 101, cpuMilliSecond: 1, memoryMiBSecond: 0, diskMiBSecond: 0 }
  }, { account: address(5), freeCollateral: 0, reputationBp: 5000 })
  const forJob = explainJob(book([bad], [worse]), hash(1)).nearest[0]?.advice ?? []
  const forOffer = explainOffer(book([bad], [worse]), worse.id).nearest[0]?.advice ?? []
  const all = REASONS.filter((reason) => !['size', 'verification', 'gpu'].includes(reason))
  t.same(forJob.map((entry) => entry.reason), all)
  t.same(forOffer.map((entry) => entry.reason), all)
  for (const advice of [forJob, forOffer]) {
    const by = new Map(advice.map((entry) => [entry.reason, entry.by]))
    t.same([by.get('cpu'), by.get('memory'), by.get('disk'), by.get('runSeconds'), by.get('price')], [1, 2, 3, 10, 871])
  }
})

t.test('what is lacking of GPUs is said: number, model, VRAM, share, or all at once', async (t) => {
  const entry = { models: ['big'], vramMiB: 16, shareBp: 5000 }
  const device = { model: 'big', vramMiB: 16, shareBp: 10_000, secondAsk: 1 }
  const said = (entries: Array<typeof entry>, devices: Array<typeof device>): string[] => {
    const snapshot = book([job(1, { gpus: entries, limit: 10_000 })], [offer(1, { gpus: devices })])
    return [explainJob(snapshot, hash(1)), explainOffer(snapshot, offer(1).id)].map(({ nearest }) => nearest[0]?.advice.map(({ text }) => text).join() ?? '')
  }
  const gap = (text: string): string[] => [`ask for other GPUs: ${text}`, `offer other GPUs: ${text}`]
  t.same(said([entry], []), gap('the offer has 0 of 1 devices'))
  t.same(said([entry, entry], [device]), gap('the offer has 1 of 2 devices'))
  t.same(said([entry], [{ ...device, model: 'small' }]), gap('the offer has small, the job takes big'))
  t.same(said([entry], [{ ...device, vramMiB: 12 }]), gap('the offer\'s devices have 4 MiB of VRAM too little'))
  t.same(said([entry], [{ ...device, shareBp: 4000 }]), gap('the offer\'s devices have 10 % of a device too little free'))
  t.same(said([entry, entry], [device, { ...device, model: 'small' }]), gap('the offer\'s devices serve the entries one by one, not together'))
  t.same(said([entry], [device]), ['', ''])
})

t.test('a job that could match but did not is outbid; one that the solution names is matched', async (t) => {
  const snapshot = book([job(1), job(2)], [offer(1)])
  const solution = { epoch: 7, engine: 'x', matches: [{ job: hash(2), offer: offer(1).id, devices: [] }] }
  t.match(explainJob(snapshot, hash(1), solution), { state: 'outbid', admissible: 1, matched: [] })
  t.match(explainJob(snapshot, hash(2), solution), { state: 'matched', matched: [offer(1).id] })
  t.match(explainOffer(snapshot, offer(1).id, solution), { state: 'matched', matched: [hash(2)] })
  t.match(explainJob(snapshot, hash(99), solution), { state: 'unknown', total: 0 })
})
