import type { Random } from '../../src/core/random.ts'
import { BP } from '../../src/match/integers.ts'
import { DEFAULT_MATCH_RULES, type MatchRules } from '../../src/match/options.ts'
import type { JobRow, OfferRow, Snapshot } from '../../src/match/problem.ts'
import { tickFor } from '../../src/match/ticks.ts'
import { PLAIN_JOB } from '../../src/wire/job-offer.ts'
import { PLAIN_OFFER } from '../../src/wire/resource-offer.ts'
import type { Address, Hash } from '../../src/wire/shapes.ts'
import { GPU_HOUR, LIST } from './prices.ts'
import type { Machine, Rows, Task } from './rows.ts'

/** The time of every book, unix ms. */
export const AT_MS = 1_700_000_000_000
const RUN_SECONDS = 600
const HIGHEST_FREE = 2 ** 52
/** How asks and bids spread round list prices, in thousandths of the logarithm. */
const ASK_SPREAD = 250
const BID_MEAN = 350
const BID_SPREAD = 500
/** Premium for missing reputation, percent of the ask for each of three tiers. */
const RISK_PERCENT = 3
const TARGETED_PERCENT = 1
const SOME_CID = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'
const SOME_PEER = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN'

/**
 * How limits and asks count. `wide`: the reference is twice the list price and the band reaches from 0 to twice that, so that hardly anything is clipped and
 * figures can be compared with those of other solvers. `market`: list prices and the network's own band of 30 %.
 */
export type BandName = 'wide' | 'market'

export function rulesFor (band: BandName): MatchRules {
  const times = band === 'wide' ? 2 : 1
  const models = Object.fromEntries(Object.entries(LIST.gpuSecond).map(([model, price]) => [model, price * times]))
  return {
    ...DEFAULT_MATCH_RULES, bandBp: band === 'wide' ? 10_000 : DEFAULT_MATCH_RULES.bandBp,
    reference: { base: 0, cpuMilliSecond: LIST.cpuMilliSecond * times, memoryMiBSecond: LIST.memoryMiBSecond * times, diskMiBSecond: 0, gpuSecond: { default: (models['T4'] as number), models } }
  }
}

/** Seeded job and resource offers for the rows; integers only. Asks stand on the tick ladder, each side trusts one of five mediator sets. */
export function toSnapshot (random: Random, rows: Rows, rules: MatchRules): Snapshot {
  const id = (): Hash => hexOf(random.bytes(32))
  const address = (): Address => hexOf(random.bytes(20))
  const [a, b, c] = [address(), address(), address()]
  const sets = [[a], [b], [c], [a, b], [b, c]]
  const set = (): Address[] => sets[random.below(sets.length)] as Address[]
  const offers = rows.machines.map((machine): OfferRow => {
    const factor = spread(random, 0, ASK_SPREAD)
    const risk = 100 + RISK_PERCENT * random.below(4)
    return { id: id(), account: address(), freeCollateral: HIGHEST_FREE, offer: offerOf(machine, (list) => tickFor(Math.floor(Math.floor(list * factor / ONE) * risk / 100)), set()) }
  })
  const jobs = rows.tasks.map((task, at): JobRow => {
    const limit = Math.floor(listCost(task) / 1000) * Math.floor(spread(random, BID_MEAN, BID_SPREAD) / (ONE / 1000))
    const targets = offers.length > 0 && random.below(100) < TARGETED_PERCENT ? [(offers[random.below(offers.length)] as OfferRow).account] : []
    return { id: id(), account: address(), offer: { ...jobOf(task, set()), jobNumber: at, limit, targets } }
  })
  return { epoch: 1, atMs: AT_MS, jobs, offers, rules }
}

/** The rows with jobs that bid what GPUs they ask for and offers that ask nothing: a solution counts the GPUs that it gives out, and a tick for each job without. */
export function byGpus (random: Random, rows: Rows): Snapshot {
  const id = (): Hash => hexOf(random.bytes(32))
  const address = (): Address => hexOf(random.bytes(20))
  const mediators = [address()]
  const rules = { ...DEFAULT_MATCH_RULES, bandBp: 10_000, reference: { base: 0, cpuMilliSecond: 0, memoryMiBSecond: 0, diskMiBSecond: 0, gpuSecond: { default: BP, models: {} } } }
  const offers = rows.machines.map((machine): OfferRow => ({ id: id(), account: address(), freeCollateral: HIGHEST_FREE, offer: offerOf(machine, () => 0, mediators) }))
  const jobs = rows.tasks.map((task, at): JobRow => ({ id: id(), account: address(), offer: { ...jobOf(task, mediators), jobNumber: at, limit: RUN_SECONDS * task.gpus * task.gpuMilli * 10, targets: [] } }))
  return { epoch: 1, atMs: AT_MS, jobs, offers, rules }
}

function offerOf (machine: Machine, ask: (list: number) => number, mediators: Address[]): OfferRow['offer'] {
  const gpus = Array.from({ length: machine.gpus }, () => ({ model: machine.model, vramMiB: GPU_HOUR[machine.model]?.vramMiB ?? 0, shareBp: 10_000, secondAsk: ask(LIST.gpuSecond[machine.model] as number) }))
  return {
    ...PLAIN_OFFER, unit: 'main', capacity: { cpuMilli: machine.cpuMilli, memoryMiB: machine.memoryMiB, diskMiB: 0 }, gpus, engines: ['wasm'], modules: [], maxRunSeconds: 86_400, mediators, creators: [],
    ask: { base: 0, cpuMilliSecond: ask(LIST.cpuMilliSecond), memoryMiBSecond: ask(LIST.memoryMiBSecond), diskMiBSecond: 0 }, validUntil: AT_MS + 600_000, peer: SOME_PEER
  }
}

function jobOf (task: Task, mediators: Address[]): Omit<JobRow['offer'], 'jobNumber' | 'limit' | 'targets'> {
  return {
    ...PLAIN_JOB, module: SOME_CID, moduleName: 'bench', inputs: SOME_CID, engine: 'wasm', resources: { cpuMilli: task.cpuMilli, memoryMiB: task.memoryMiB, diskMiB: 0 },
    gpus: Array.from({ length: task.gpus }, () => ({ models: [...task.models], vramMiB: 0, shareBp: task.gpuMilli * 10 })), runSeconds: RUN_SECONDS, validUntil: AT_MS + 600_000, deadline: AT_MS + 3_600_000,
    verification: { strategy: 'audit', auditBp: 100 }, mediators, avoid: [], attempt: 0, peer: SOME_PEER
  }
}

/** As records are read: one flat text, which costs less to compare than the joined ones of viem. */
function hexOf (bytes: Uint8Array): `0x${string}` {
  return `0x${Buffer.from(bytes).toString('hex')}`
}

/** What the task costs at list prices: its GPUs at the cheapest model it accepts. */
function listCost ({ cpuMilli, memoryMiB, gpus, gpuMilli, models }: Task): number {
  const accepted = models.length > 0 ? models : Object.keys(LIST.gpuSecond)
  const gpu = Math.min(...accepted.map((model) => LIST.gpuSecond[model] ?? Number.MAX_SAFE_INTEGER))
  return RUN_SECONDS * (cpuMilli * LIST.cpuMilliSecond + memoryMiB * LIST.memoryMiBSecond + (gpus === 0 ? 0 : Math.floor(gpus * gpuMilli * gpu / 1000)))
}

/** One as a fixed-point number of `spread`. */
const ONE = 1_000_000
/** Powers of 1.001 in fixed point: e^x for x in thousandths, in integers. */
const POWERS = Array.from({ length: 4001 }, () => 0)
POWERS[2000] = ONE
for (let at = 2001; at <= 4000; at++) POWERS[at] = Math.floor((POWERS[at - 1] as number) * 1001 / 1000)
for (let at = 1999; at >= 0; at--) POWERS[at] = Math.floor((POWERS[at + 1] as number) * 1000 / 1001)

/** A log-normal factor in fixed point: the sum of twelve even numbers stands in for the normal. */
function spread (random: Random, mean: number, deviation: number): number {
  let sum = -6000
  for (let draw = 0; draw < 12; draw++) sum += random.below(1001)
  return POWERS[Math.min(4000, Math.max(0, 2000 + mean + Math.floor(deviation * sum / 1000)))] as number
}
