import fc from 'fast-check'
import type { JobRow, MatchRules, OfferRow, Snapshot } from '../../src/match/problem.ts'
import { address, AT_MS, book, hash, job, offer, RULES } from './rows.ts'

const oneOf = <T>(...list: T[]): fc.Arbitrary<T> => fc.constantFrom(...list)
const rarely = <T>(rare: T, usual: T): fc.Arbitrary<T> => fc.oneof({ arbitrary: fc.constant(usual), weight: 7 }, { arbitrary: fc.constant(rare), weight: 1 })
/** Two mediators; the first is a creator and a provider too. */
const [FIRST, SECOND] = [address(3), address(50)]
const PROVIDERS = 5
const SLOTS = { jobs: 10, offers: 5 }

/** Few kinds of everything, so that jobs share classes and classes come back. */
const anyJob = fc.record({
  account: oneOf(20, 21, 22, 0, 2, 3), cpu: rarely(20, 10), seconds: rarely(9, 10), limit: oneOf(220, 250, 300), mediators: fc.oneof({ arbitrary: oneOf([SECOND]), weight: 30 }, { arbitrary: oneOf([FIRST], [FIRST, SECOND]), weight: 1 }), avoid: rarely([address(1)], []), jobNumber: oneOf(0, 0, 1),
  gpus: oneOf(0, 0, 0, 0, 1, 2), module: rarely('two', 'one'), soon: oneOf(false, false, true), reputation: rarely(6000, 0), replicas: rarely(2, 1), group: rarely(1, 0), late: rarely(true, false)
})
const anyOffer = fc.record({
  account: fc.nat(PROVIDERS - 1), unit: oneOf(0, 0, 1), cpu: oneOf(100, 60), base: rarely(100, 50), mediators: oneOf([SECOND], [SECOND], [SECOND], [FIRST, SECOND]), modules: rarely(['one'], []), later: oneOf(0, 0, 9000), gpus: oneOf(0, 0, 1, 2),
  reputation: rarely(5000, 10_000), collateral: rarely(400, 5000), short: rarely(true, false), late: rarely(true, false)
})
type Job = typeof anyJob extends fc.Arbitrary<infer T> ? T : never
type Offer = typeof anyOffer extends fc.Arbitrary<infer T> ? T : never

const DEMANDS = [[], [{ models: ['small'], vramMiB: 0, shareBp: 5000 }], [{ models: [], vramMiB: 0, shareBp: 5000 }, { models: ['big'], vramMiB: 0, shareBp: 10_000 }]]
const device = (model: string): OfferRow['offer']['gpus'][number] => ({ model, vramMiB: 8, shareBp: 10_000, secondAsk: 10 })
const SUPPLIES = [[], [device('small'), device('small')], [device('small'), device('big')]]

function jobRow (slot: number, { account, cpu, seconds, limit, mediators, avoid, jobNumber, gpus, module, soon, reputation, replicas, group, late }: Job): JobRow {
  return {
    ...job(slot, {
      jobNumber, runSeconds: seconds, resources: { cpuMilli: cpu, memoryMiB: 10, diskMiB: 10 }, limit, mediators, avoid, gpus: DEMANDS[gpus] as JobRow['offer']['gpus'], module, minReputationBp: reputation, deadline: AT_MS + (soon ? 15_000 : 120_000),
      verification: replicas > 1 ? { strategy: 'replicate', replicas, quorum: 2 } : { strategy: 'audit', auditBp: 100 }, group: group === 0 ? { id: hash(0), index: 0, size: 0 } : { id: hash(9), index: slot % 2, size: 2 }
    }, address(account)),
    ...(late ? { late } : {})
  }
}

function offerRow (slot: number, { account, unit, cpu, base, mediators, modules, later, gpus, reputation, collateral, short, late }: Offer): OfferRow {
  return offer(slot, {
    unit: `u${unit}`, capacity: { cpuMilli: cpu, memoryMiB: 100, diskMiB: 100 }, ask: { base, cpuMilliSecond: 1, memoryMiBSecond: 0, diskMiBSecond: 0 }, mediators, modules, freeFrom: later === 0 ? 0 : AT_MS + later,
    gpus: SUPPLIES[gpus] as OfferRow['offer']['gpus'], validUntil: AT_MS + (short ? 3000 : 60_000)
  }, { account: address(account), freeCollateral: collateral, reputationBp: reputation, ...(late ? { late } : {}) })
}

const anyChange = fc.record({
  jobs: fc.array(fc.tuple(fc.nat(SLOTS.jobs - 1), fc.option(anyJob, { freq: 3 })), { maxLength: 3 }), offers: fc.array(fc.tuple(fc.nat(SLOTS.offers - 1), fc.option(anyOffer, { freq: 3 })), { maxLength: 1 }),
  /** A job that somebody else states word for word. */
  moved: fc.nat(4 * SLOTS.jobs), age: fc.boolean(), laterMs: oneOf(0, 0, 2000, 5000), rules: oneOf<MatchRules | undefined>(undefined, undefined, undefined, undefined, undefined, { ...RULES, bandBp: 2000 }, { ...RULES })
})

/** Books of one market, epoch after epoch: rows stay the same objects until something about them changes, comes under their id, or they go. */
export const anyEpochs: fc.Arbitrary<Snapshot[]> = fc.record({
  jobs: fc.array(anyJob, { minLength: SLOTS.jobs, maxLength: SLOTS.jobs }), offers: fc.array(anyOffer, { minLength: SLOTS.offers, maxLength: SLOTS.offers }), changes: fc.array(anyChange, { minLength: 1, maxLength: 6 })
}).map(({ jobs, offers, changes }) => {
  const jobSlots: Array<JobRow | undefined> = jobs.map((entry, slot) => jobRow(slot, entry))
  const offerSlots: Array<OfferRow | undefined> = offers.map((entry, slot) => offerRow(slot, entry))
  let last = book(jobSlots.filter((row) => row !== undefined), offerSlots.filter((row) => row !== undefined))
  return [last, ...changes.map((change) => {
    for (const [slot, entry] of change.jobs) jobSlots[slot] = entry === null ? undefined : jobRow(slot, entry)
    for (const [slot, entry] of change.offers) offerSlots[slot] = entry === null ? undefined : offerRow(slot, entry)
    const moved = jobSlots[change.moved]
    if (moved !== undefined) jobSlots[change.moved] = { ...moved, account: FIRST }
    if (change.age) jobSlots.forEach((row, slot) => { if (row !== undefined) jobSlots[slot] = { ...row, ageEpochs: (row.ageEpochs ?? 0) + 1 } })
    last = {
      epoch: last.epoch + 1, atMs: last.atMs + change.laterMs, rules: change.rules ?? last.rules,
      // The order of rows means nothing.
      jobs: jobSlots.filter((row) => row !== undefined).reverse(), offers: offerSlots.filter((row) => row !== undefined)
    }
    return last
  })]
})
