import fc from 'fast-check'
import t from 'tap'
import { admissible, passes, REASONS } from '../../src/match/admissible.ts'
import { explainJob, explainOffer } from '../../src/match/explain.ts'
import { marketOf } from '../../src/match/market.ts'
import { mediatorSetHash } from '../../src/match/mediators.ts'
import type { JobRow, Match } from '../../src/match/problem.ts'
import { verifySolution } from '../../src/match/verify.ts'
import { address, anyBook, AT_MS, book, hash, job, MEDIATOR, offer, RULES } from './rows.ts'

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

t.test('a job that is outbid is told the least raise of its limit that counts more than who sits there', async (t) => {
  const sized = (number: number, cpuMilli: number, limit: number): JobRow => job(number, { resources: { cpuMilli, memoryMiB: 1, diskMiB: 1 }, limit })
  const snapshot = book([sized(1, 60, 650), sized(2, 30, 380), sized(3, 50, 560), sized(4, 60, 680)], [offer(1), offer(2)])
  const on = (jobNumber: number, offerNumber: number): Match => ({ job: hash(jobNumber), offer: offer(offerNumber).id, devices: [] })
  const solution = { epoch: 7, engine: 'x', matches: [on(2, 1), on(3, 1), on(4, 2)] }
  const { state, rival } = explainJob(snapshot, hash(1), solution)
  t.equal(state, 'outbid')
  const by = rival?.advice.by ?? 0
  t.ok(by > 0 && rival !== undefined, `${by} over ${rival?.over.join()}`)
  const scoreWith = (more: number): number => {
    const raised = { ...snapshot, jobs: snapshot.jobs.map((row) => row.id === hash(1) ? sized(1, 60, 650 + more) : row) }
    return verifySolution(raised, { ...solution, matches: [...solution.matches.filter((match) => rival?.over.includes(match.job) !== true), { job: hash(1), offer: rival?.id as Match['offer'], devices: [] }] }).score
  }
  const score = verifySolution(snapshot, solution).score
  t.ok(scoreWith(by) > score, 'with it a solution counts more')
  t.ok(scoreWith(by - 1) <= score, 'with less not')
  t.match(rival?.advice.text, /^raise the limit by 0\.\d+ LILY to count more/)
  t.match(explainJob(snapshot, hash(1), { ...solution, matches: [on(2, 1), on(4, 2)] }).rival, { over: [], advice: { own: false } }, 'or that there is room')
  const dear = book([sized(1, 60, 700), sized(2, 60, 800)], [offer(1)])
  t.match(explainJob(dear, hash(1), { ...solution, matches: [on(2, 1)] }).rival, { over: [hash(2)], advice: { by: 101, own: true } })
  const bounded = book([sized(1, 60, 700), job(2, { ...sized(2, 60, 910).offer, resources: { cpuMilli: 90, memoryMiB: 1, diskMiB: 1 }, limit: 1300 })], [offer(1, { ask: { base: 1, cpuMilliSecond: 0, memoryMiBSecond: 0, diskMiBSecond: 0 } })])
  t.match(explainJob(bounded, hash(1), { ...solution, matches: [on(2, 1)] }).rival?.advice, { own: false, text: /no price/ })
})

t.test('an idle offer is told how much less to ask for a job that sits elsewhere', async (t) => {
  const cheap = offer(2, { ask: { base: 40, cpuMilliSecond: 1, memoryMiBSecond: 0, diskMiBSecond: 0 } })
  const snapshot = book([job(1)], [offer(1), cheap])
  const solution = { epoch: 7, engine: 'x', matches: [{ job: hash(1), offer: cheap.id, devices: [] }] }
  const { rival, state } = explainOffer(snapshot, offer(1).id, solution)
  t.equal(state, 'outbid')
  // Asks of 150 and 140 both count, the band begins at 140: nothing below it counts.
  t.match(rival, { id: hash(1), over: [hash(1)], advice: { own: false } })
  const dearer = offer(2, { ask: { base: 45, cpuMilliSecond: 1, memoryMiBSecond: 0, diskMiBSecond: 0 } })
  t.match(explainOffer(book([job(1)], [offer(1), dearer]), offer(1).id, { ...solution, matches: [{ job: hash(1), offer: dearer.id, devices: [] }] }).rival, { advice: { by: 6, own: true } })
  t.match(explainOffer(snapshot, offer(1).id, { ...solution, matches: [] }).rival, { id: hash(1), over: [], advice: { own: false } })
})

t.test('a mediator set that the other side accepts is named', async (t) => {
  const rules = { ...RULES, mediatorSets: [[address(70)], [address(71), address(72)]] }
  const accepts = offer(1, { mediators: [], mediatorSets: [mediatorSetHash([address(71), address(72)])] })
  const got = explainJob(book([job(1)], [accepts], rules), hash(1)).nearest[0]?.advice[0]
  t.match(got, { reason: 'mediators', own: true, text: `accept mediator set 2 (${mediatorSetHash([address(71), address(72)])})` })
})
