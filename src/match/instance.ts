import { bytesToHex } from 'viem'
import type { Random } from '../core/random.ts'
import { PLAIN_JOB, type JobOffer, type Resources } from '../wire/job-offer.ts'
import { PLAIN_OFFER, type Ask, type ResourceOffer } from '../wire/resource-offer.ts'
import type { Address, Hash } from '../wire/shapes.ts'
import { createGpuMaker } from './instance-gpus.ts'
import { referenceAlone } from './price.ts'
import type { JobRow, MatchRules, OfferRow, Snapshot } from './problem.ts'
import { tickFor } from './ticks.ts'

/** Size and tightness of a made-up book. */
export interface InstanceOptions {
  jobs: number
  offers: number
  rules: MatchRules
  nowMs: number
  /** Demand as a percentage of capacity (default 150: a third of it cannot be served). */
  loadPercent?: number
  /** Percentage of machines that have GPUs and of jobs that want some (default 0). */
  gpuPercent?: number
  /** Percentage of jobs that want two or three providers, and of those that are one of a group of two or three (default 0). */
  togetherPercent?: number
}

const CORES = [8, 16, 32]
const GIB_PER_CORE = [2, 4, 8]
/** Percent of the reference: asks round 0.9, limits round 1.1, so that a part of the pairs cannot agree. */
const ASK_PERCENT = [60, 120] as const
const LIMIT_PERCENT = [80, 170] as const
/** CID and peer id that only have the right form. */
const SOME_CID = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'
const SOME_PEER = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN'

/** A seeded book for tests, demo and benchmarks: integers only, the same for the same stream of `random`. Not a model of any real market. */
export function createInstance (random: Random, options: InstanceOptions): Snapshot {
  const { rules, nowMs } = options
  const between = (low: number, high: number): number => low + random.below(high - low + 1)
  const pick = <T>(list: readonly T[]): T => list[random.below(list.length)] as T
  const address = (): Address => bytesToHex(random.bytes(20))
  const id = (): Hash => bytesToHex(random.bytes(32))
  const sets = Array.from({ length: 3 }, () => [address(), address()])
  const scaled = (percent: number): Ask => ({
    base: tickFor(share(rules.reference.base, percent)), cpuMilliSecond: tickFor(share(rules.reference.cpuMilliSecond, percent)),
    memoryMiBSecond: tickFor(share(rules.reference.memoryMiBSecond, percent)), diskMiBSecond: tickFor(share(rules.reference.diskMiBSecond, percent))
  })
  const gpus = createGpuMaker(random, { percent: options.gpuPercent ?? 0, rules })

  const offers: OfferRow[] = Array.from({ length: options.offers }, () => {
    const cores = pick(CORES)
    const percent = between(...ASK_PERCENT)
    const capacity = { cpuMilli: cores * 1000, memoryMiB: cores * pick(GIB_PER_CORE) * 1024, diskMiB: cores * 20_480 }
    const offer: ResourceOffer = {
      ...PLAIN_OFFER, unit: 'main', capacity, ask: scaled(percent), gpus: gpus.machine(percent), engines: ['wasm'], modules: [], maxRunSeconds: pick([300, 3600, 86_400]),
      mediators: pick(sets), creators: [], validUntil: nowMs + 600_000, peer: SOME_PEER
    }
    // Enough for the whole unit at the reference price over ten minutes; a fifth of the providers is short of money.
    const whole = referenceAlone({ resources: capacity, runSeconds: 600, gpus: offer.gpus.map(({ model }) => ({ models: [model], vramMiB: 0, shareBp: 10_000 })) }, rules)
    return { id: id(), account: address(), offer, freeCollateral: share(share(whole, rules.collateralBp / 100), random.below(5) === 0 ? 50 : 300) }
  })
  const accounts = offers.map((row) => row.account)

  const total = offers.reduce((sum, row) => sum + row.offer.capacity.cpuMilli, 0)
  const meanCpu = Math.max(1, Math.floor(total * (options.loadPercent ?? 150) / 100 / Math.max(1, options.jobs)))
  const jobs: JobRow[] = Array.from({ length: options.jobs }, (_, at) => {
    const cpuMilli = Math.min(32_000, Math.max(50, share(meanCpu, between(20, 180))))
    const resources: Resources = { cpuMilli, memoryMiB: Math.max(16, Math.floor(cpuMilli * between(1, 8) * 1024 / 1000)), diskMiB: between(0, 10_240) }
    const runSeconds = between(10, 600)
    const audited = random.below(2) === 0
    const offer: JobOffer = {
      ...PLAIN_JOB, engine: 'wasm', jobNumber: at, gpus: gpus.demand(), module: SOME_CID, moduleName: 'made-up', inputs: SOME_CID, resources, runSeconds, limit: 0,
      validUntil: nowMs + 600_000, deadline: nowMs + 3_600_000, verification: { strategy: audited ? 'audit' : 'receipt', auditBp: audited ? 1000 : 0 },
      mediators: pick(sets), targets: accounts.length > 0 && random.below(50) === 0 ? [pick(accounts)] : [],
      avoid: accounts.length > 0 && random.below(20) === 0 ? [pick(accounts)] : [], attempt: 0, peer: SOME_PEER
    }
    return { id: id(), account: address(), offer: { ...offer, limit: share(referenceAlone(offer, rules), between(...LIMIT_PERCENT)) } }
  })
  return { epoch: 1, atMs: nowMs, jobs: together(jobs, random, options.togetherPercent ?? 0, id), offers, rules }
}

/** Some of the jobs want several providers, some are groups of one account. */
function together (jobs: readonly JobRow[], random: Random, percent: number, id: () => Hash): JobRow[] {
  const made: JobRow[] = []
  while (made.length < jobs.length) {
    const row = jobs[made.length] as JobRow
    // Numbers apart from each other, so that copies have their own.
    const offer = { ...row.offer, jobNumber: made.length * 4 }
    const size = Math.min(2 + random.below(2), jobs.length - made.length)
    const kind = percent === 0 ? 100 : random.below(100)
    if (kind < percent / 2) made.push({ ...row, offer: { ...offer, verification: { strategy: 'replicate', replicas: size, quorum: Math.min(2, size) } } })
    else if (kind < percent && size > 1) {
      const group = id()
      for (let index = 0; index < size; index++) made.push({ ...jobs[made.length] as JobRow, account: row.account, offer: { ...(jobs[made.length] as JobRow).offer, jobNumber: made.length * 4, group: { id: group, index, size } } })
    } else made.push({ ...row, offer })
  }
  return made
}

function share (amount: number, percent: number): number {
  return Math.floor(amount * percent / 100)
}
