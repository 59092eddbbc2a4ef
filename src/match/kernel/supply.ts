import type { MatchRules } from '../options.ts'
import type { OfferRow } from '../problem.ts'
import { FULL_REPUTATION, premiumFor } from '../score.ts'
import { gpuAmount, NO_BID, UNASKED, type Bidders, type Biddings } from './bidders.ts'
import type { ColumnRoom } from './column-room.ts'
import { deviceGroups } from './devices.ts'
import { BOUNDS_ONLY, type Kind } from './supplies.ts'

/** One alternative of a unit class, as its columns are written. */
export interface Supply {
  readonly row: OfferRow
  readonly none: Group
  readonly groups: readonly Group[]
  readonly bidders: Bidders
  /** Ask and premium, of an ask. */
  readonly costOf: (ask: number) => number
  /** Of columns that only bound. */
  readonly mixed: Kind
}

/** Devices that differ in nothing but their free share: what a second costs, the free shares, the largest first, and what jobs bid there. */
export interface Group { readonly kind: Kind, readonly secondAsk: number, readonly shares: readonly number[], readonly biddings: Biddings }

export function supplyOf (row: OfferRow, { alternative, shares, bidders, rules }: { alternative: number, shares: readonly number[], bidders: Bidders, rules: MatchRules }): Supply {
  const isReputed = (row.reputationBp ?? FULL_REPUTATION) === FULL_REPUTATION
  const bound = row.offer.collateral === 0 ? Number.MAX_VALUE : row.offer.collateral
  return {
    row, bidders,
    none: { kind: { alternative, low: 0, high: 0, bound }, secondAsk: 0, shares: [], biddings: bidders.biddingsOn(undefined) },
    groups: deviceGroups(row.offer.gpus).map((device) => ({
      kind: { alternative, low: device.low, high: device.high, bound }, secondAsk: device.secondAsk, shares: device.places.map((place) => shares[place] ?? 0).sort((left, right) => right - left), biddings: bidders.biddingsOn(device)
    })),
    costOf: isReputed ? (ask) => ask : (ask) => Math.min(Number.MAX_SAFE_INTEGER, ask + premiumFor(ask, row, rules)),
    mixed: { alternative, low: 0, high: 0, bound: BOUNDS_ONLY }
  }
}

/**
 * Columns of jobs on devices of one group, or without devices, from place `count` on; the place after them. The jobs' entries are all the same. This loop is most
 * of what a kernel costs: plain numbers, and what fails most is asked first.
 */
export function writeAlike ({ row: { offer }, bidders, costOf }: Supply, group: Group, jobs: Int32Array, out: ColumnRoom, count: number): number {
  const { cpuMilli, memoryMiB, diskMiB, runSeconds, devices, shares, share, topLimit } = bidders
  const { capacity, maxRunSeconds, ask: { base, cpuMilliSecond, memoryMiBSecond, diskMiBSecond } } = offer
  const { secondAsk, shares: free, biddings } = group
  const { run: runs, reference: references, low: lowest, high: highest } = biddings
  const { run: outRun, cost: outCost, ask: outAsk } = out
  const [mostCpu, mostMemory, mostDisk] = [capacity.cpuMilli, capacity.memoryMiB, capacity.diskMiB]
  let next = count
  for (let at = 0; at < jobs.length; at++) {
    const job = jobs[at] as number
    const cpu = cpuMilli[job] as number
    const memory = memoryMiB[job] as number
    const disk = diskMiB[job] as number
    const seconds = runSeconds[job] as number
    const asked = devices[job] as number
    if (cpu > mostCpu || memory > mostMemory || disk > mostDisk || seconds > maxRunSeconds) continue
    if (asked > 0 && (asked > free.length || (free[asked - 1] as number) < (share[job] as number))) continue
    // Nothing is negative: a sum or product beyond what is safe stays beyond.
    const ask = base + seconds * (cpu * cpuMilliSecond + memory * memoryMiBSecond + disk * diskMiBSecond) + (asked === 0 ? 0 : gpuAmount(seconds, shares[job] as number, secondAsk))
    if (ask > (topLimit[job] as number)) continue
    const run = runs[job] === UNASKED ? bidders.ask(biddings, job) : runs[job] as number
    if (run === NO_BID || (references[job] as number) > Number.MAX_SAFE_INTEGER) continue
    outRun[next] = run
    outCost[next] = Math.min(highest[job] as number, Math.max(lowest[job] as number, costOf(ask)))
    outAsk[next++] = ask
  }
  return next
}

/** Columns that only bound: of jobs whose entries differ, or that may take devices of several groups. One for each job, that no such pair counts more than. */
export function writeMixed ({ row: { offer }, groups, bidders, costOf }: Supply, jobs: Int32Array, out: ColumnRoom, count: number): number {
  const { cpuMilli, memoryMiB, diskMiB, runSeconds, devices, topLimit } = bidders
  const { capacity, gpus, maxRunSeconds, ask: { base, cpuMilliSecond, memoryMiBSecond, diskMiBSecond } } = offer
  let next = count
  for (const job of jobs) {
    const [cpu, memory, disk, seconds, asked] = [cpuMilli[job] as number, memoryMiB[job] as number, diskMiB[job] as number, runSeconds[job] as number, devices[job] as number]
    if (asked === 0 || asked > gpus.length || cpu > capacity.cpuMilli || memory > capacity.memoryMiB || disk > capacity.diskMiB || seconds > maxRunSeconds) continue
    const able = groups.filter(({ biddings }) => bidders.ask(biddings, job) !== NO_BID)
    const cheapest = Math.min(...able.map(({ secondAsk }) => gpuAmount(seconds, bidders.shares[job] as number, secondAsk)))
    const ask = base + seconds * (cpu * cpuMilliSecond + memory * memoryMiBSecond + disk * diskMiBSecond) + cheapest
    const isAlike = (bidders.share[job] as number) > 0
    if (ask > (topLimit[job] as number) || (isAlike && (able.length === 1 || asked === 1))) continue
    const byReference = able.map(({ biddings }) => biddings).sort((left, right) => (left.reference[job] as number) - (right.reference[job] as number))
    const [least, most] = [byReference[0] as Biddings, byReference.at(-1) as Biddings]
    out.run[next] = most.run[job] as number
    out.cost[next] = Math.min(least.high[job] as number, Math.max(least.low[job] as number, costOf(ask)))
    out.ask[next++] = ask
  }
  return next
}
