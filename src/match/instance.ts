import { bytesToHex } from 'viem'
import type { Random } from '../core/random.ts'
import { PLAIN_JOB, type JobOffer, type Resources } from '../wire/job-offer.ts'
import { PLAIN_OFFER, type Ask, type ResourceOffer } from '../wire/resource-offer.ts'
import type { Address, Hash } from '../wire/shapes.ts'
import { referenceFor } from './price.ts'
import type { JobRow, MatchRules, OfferRow, Snapshot } from './problem.ts'

/** Size and tightness of a made-up book. */
export interface InstanceOptions {
  jobs: number
  offers: number
  rules: MatchRules
  nowMs: number
  /** Demand as a percentage of capacity (default 150: a third of it cannot be served). */
  loadPercent?: number
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
    base: share(rules.reference.base, percent), cpuMilliSecond: share(rules.reference.cpuMilliSecond, percent),
    memoryMiBSecond: share(rules.reference.memoryMiBSecond, percent), diskMiBSecond: share(rules.reference.diskMiBSecond, percent)
  })

  const offers: OfferRow[] = Array.from({ length: options.offers }, () => {
    const cores = pick(CORES)
    const capacity = { cpuMilli: cores * 1000, memoryMiB: cores * pick(GIB_PER_CORE) * 1024, diskMiB: cores * 20_480 }
    const offer: ResourceOffer = {
      ...PLAIN_OFFER, unit: 'main', capacity, ask: scaled(between(...ASK_PERCENT)), engines: ['wasm'], modules: [], maxRunSeconds: pick([300, 3600, 86_400]),
      mediators: pick(sets), creators: [], validUntil: nowMs + 600_000, peer: SOME_PEER
    }
    // Enough for the whole unit at the reference price over ten minutes; a fifth of the providers is short of money.
    const whole = referenceFor({ resources: capacity, runSeconds: 600 } as JobOffer, rules)
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
      ...PLAIN_JOB, engine: 'wasm', jobNumber: at, module: SOME_CID, moduleName: 'made-up', inputs: SOME_CID, resources, runSeconds, limit: 0,
      validUntil: nowMs + 600_000, deadline: nowMs + 3_600_000, verification: { strategy: audited ? 'audit' : 'receipt', auditBp: audited ? 1000 : 0 },
      mediators: pick(sets), targets: accounts.length > 0 && random.below(50) === 0 ? [pick(accounts)] : [],
      avoid: accounts.length > 0 && random.below(20) === 0 ? [pick(accounts)] : [], attempt: 0, peer: SOME_PEER
    }
    return { id: id(), account: address(), offer: { ...offer, limit: share(referenceFor(offer, rules), between(...LIMIT_PERCENT)) } }
  })
  return { epoch: 1, atMs: nowMs, jobs, offers, rules }
}

function share (amount: number, percent: number): number {
  return Math.floor(amount * percent / 100)
}
