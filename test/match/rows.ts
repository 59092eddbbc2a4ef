import fc from 'fast-check'
import { DEFAULT_MATCH_RULES, type MatchRules } from '../../src/match/options.ts'
import type { JobRow, OfferRow, Snapshot } from '../../src/match/problem.ts'
import { tickFor } from '../../src/match/ticks.ts'
import { PLAIN_JOB, type JobOffer } from '../../src/wire/job-offer.ts'
import { PLAIN_OFFER, type ResourceOffer } from '../../src/wire/resource-offer.ts'
import type { Address, Hash } from '../../src/wire/shapes.ts'

/** The time of every snapshot here, unix ms. */
export const AT_MS = 1_700_000_000_000
export const RULES: MatchRules = { ...DEFAULT_MATCH_RULES, reference: { base: 100, cpuMilliSecond: 1, memoryMiBSecond: 0, diskMiBSecond: 0, gpuSecond: { default: 20, models: { big: 60 } } }, minFee: 5 }

export const hash = (number: number): Hash => `0x${number.toString(16).padStart(16, '0').padEnd(64, '0')}`
export const address = (number: number): Address => `0x${number.toString(16).padStart(40, '0')}`
export const MEDIATOR = address(0xabc)

/** A job of 10 s and 10 milli-cores: reference price 200. */
export function job (number: number, offer: Partial<JobOffer> = {}, account = address(1000 + number)): JobRow {
  return {
    id: hash(number), account,
    offer: {
      ...PLAIN_JOB, engine: 'wasm', jobNumber: number, module: 'bafymodule', moduleName: 'm', inputs: 'bafyinputs', resources: { cpuMilli: 10, memoryMiB: 10, diskMiB: 10 }, runSeconds: 10, limit: 250,
      validUntil: AT_MS + 60_000, deadline: AT_MS + 60_000, verification: { strategy: 'audit', auditBp: 100 }, mediators: [MEDIATOR], targets: [], avoid: [], attempt: 0, peer: 'p', ...offer
    }
  }
}

/** An offer of 100 units of each resource: the ask for `job` is 150. */
export function offer (number: number, fields: Partial<ResourceOffer> = {}, row: Partial<OfferRow> = {}): OfferRow {
  return {
    id: hash(1_000_000 + number), account: address(2000 + number), freeCollateral: 100_000,
    offer: {
      ...PLAIN_OFFER, unit: 'main', capacity: { cpuMilli: 100, memoryMiB: 100, diskMiB: 100 }, ask: { base: 50, cpuMilliSecond: 1, memoryMiBSecond: 0, diskMiBSecond: 0 },
      engines: ['wasm'], modules: [], maxRunSeconds: 60, mediators: [MEDIATOR], creators: [], validUntil: AT_MS + 60_000, peer: 'p', ...fields
    },
    ...row
  }
}

export function book (jobs: JobRow[], offers: OfferRow[], rules: MatchRules = RULES): Snapshot {
  return { epoch: 7, atMs: AT_MS, jobs, offers, rules }
}

const few = (max: number): fc.Arbitrary<number> => fc.integer({ min: 0, max })
const oneOf = <T>(...list: T[]): fc.Arbitrary<T> => fc.constantFrom(...list)
const MODELS = ['small', 'big']

const anyEntry = fc.record({ models: oneOf<string[]>([], ['small'], ['big'], ['big', 'small']), vramMiB: oneOf(0, 8, 16), shareBp: oneOf(2500, 5000, 10_000) })
const anyDevice = fc.record({ model: few(1).map((at) => MODELS[at] as string), vramMiB: oneOf(8, 16), shareBp: oneOf(5000, 10_000, 10_000), secondAsk: oneOf(1, 20, 60) })
const anyJob = fc.record({
  late: few(8),
  account: few(3), jobNumber: few(11), cpu: few(60), memory: few(60), run: fc.integer({ min: 1, max: 20 }), limit: few(2000), target: few(40), avoid: few(30), audit: fc.boolean(), mediator: few(2),
  gpus: fc.oneof({ arbitrary: fc.constant<JobOffer['gpus']>([]), weight: 2 }, fc.array(anyEntry, { minLength: 1, maxLength: 2 })), age: few(40), reputation: oneOf(0, 0, 0, 6000), replicas: oneOf(1, 1, 1, 1, 2), group: few(9)
})
const anyOffer = fc.record({
  account: few(5), unit: few(1), cpu: fc.integer({ min: 30, max: 160 }), memory: fc.integer({ min: 30, max: 160 }), base: few(200), price: few(1), collateral: fc.oneof(fc.integer({ min: 300, max: 2000 }), fc.integer({ min: 500, max: 9000 })),
  late: few(8), creator: few(40), mediator: few(2), gpus: fc.array(anyDevice, { maxLength: 3 }), reputation: oneOf(10_000, 10_000, 5000), freeFrom: oneOf(0, 0, 0, 9000)
})

/** Small crowded books: shared units, devices, accounts and job numbers, tight capacity and collateral, lists that exclude, late records, replicas and groups of two. */
export const anyBook: fc.Arbitrary<Snapshot> = fc.record({
  jobs: fc.array(anyJob, { minLength: 2, maxLength: 8 }), offers: fc.array(anyOffer, { minLength: 1, maxLength: 6 })
}).map(({ jobs, offers }) => book(
  jobs.map((entry, at) => ({
    ...job(at + 1, {
      jobNumber: entry.jobNumber, resources: { cpuMilli: entry.cpu, memoryMiB: entry.memory, diskMiB: 0 }, runSeconds: entry.run, limit: entry.limit, gpus: entry.gpus,
      targets: entry.target < 4 ? [address(entry.target)] : [], avoid: entry.avoid < 4 ? [address(entry.avoid)] : [], minReputationBp: entry.reputation,
      verification: entry.replicas > 1 ? { strategy: 'replicate' as const, replicas: entry.replicas, quorum: 2 } : { strategy: entry.audit ? 'audit' as const : 'none' as const, auditBp: 0 },
      mediators: [address(50), address(51 + entry.mediator)].slice(entry.mediator === 0 ? 1 : 0),
      // Neighbours of one account, now and then.
      group: entry.group < 4 ? { id: hash(1 + (at >> 1)), index: at % 2, size: 2 } : { id: hash(0), index: 0, size: 0 }
    }, address(entry.group < 4 ? at >> 1 : entry.account)),
    ageEpochs: entry.age, late: entry.late === 0
  })),
  offers.map((entry, at) => offer(at + 1, {
    unit: `u${entry.unit}`, capacity: { cpuMilli: entry.cpu, memoryMiB: entry.memory, diskMiB: 10 }, ask: { base: tickFor(entry.base), cpuMilliSecond: entry.price, memoryMiBSecond: 0, diskMiBSecond: 0 },
    creators: entry.creator < 4 ? [address(entry.creator)] : [], mediators: [address(50), address(51 + entry.mediator)], gpus: entry.gpus, freeFrom: entry.freeFrom === 0 ? 0 : AT_MS + entry.freeFrom
  }, { account: address(entry.account), freeCollateral: entry.collateral, reputationBp: entry.reputation, late: entry.late === 0 }))
))

/** The same book, the rows in another order. */
export function shuffled (snapshot: Snapshot, seed: number): Snapshot {
  const mix = <T extends { id: Hash }>(rows: readonly T[]): T[] => [...rows].sort((left, right) => (Number((BigInt(left.id) >> 192n) % 65_521n) * seed) % 65_521 - (Number((BigInt(right.id) >> 192n) % 65_521n) * seed) % 65_521)
  return { ...snapshot, jobs: mix(snapshot.jobs), offers: mix(snapshot.offers) }
}
