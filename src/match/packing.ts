import type { Resources } from '../wire/job-offer.ts'
import type { Market } from './market.ts'
import type { Pairs } from './pairs.ts'
import type { JobRow, Match } from './problem.ts'

/** A feasible set of matches under construction: every `place` keeps it feasible, `remove` takes back. */
export interface Packing {
  /** Per job: its pair, or -1. */
  readonly placed: Int32Array
  /** Sum of what is placed; a double, exact below 2^53. Decides only what an engine tries, never a score. */
  welfare: () => number
  /** True when the pair's job is not placed and unit, account and task leave room. */
  fits: (pair: number) => boolean
  /** Places a pair that fits. */
  place: (pair: number) => void
  /** Takes a placed job back and returns the pair it had. */
  remove: (job: number) => number
  /** What the fullest resource of the pair's unit would have left, as a share of its capacity: best fit takes the smallest. */
  slack: (pair: number) => number
  /** Jobs placed on a unit. */
  on: (unit: number) => ReadonlySet<number>
  /** The unit's free capacity, the account's free collateral. */
  free: (unit: number) => Readonly<Resources>
  freeCollateral: (account: number) => number
  matches: () => Match[]
}

/** An empty packing of the market. */
export function createPacking (market: Market, pairs: Pairs): Packing {
  const placed = new Int32Array(market.jobs.length).fill(-1)
  const taken = new Uint8Array(market.tasks)
  const free = market.units.map((unit) => ({ ...unit }))
  const money = [...market.accounts]
  const members = market.units.map(() => new Set<number>())
  let welfare = 0

  const demandOf = (job: number): Resources => (market.jobs[job] as JobRow).offer.resources
  const unitOf = (pair: number): number => market.unitOf[pairs.offer[pair] as number] as number
  const accountOf = (pair: number): number => market.accountOf[pairs.offer[pair] as number] as number
  const move = (pair: number, sign: 1 | -1): void => {
    const job = pairs.job[pair] as number
    const unit = unitOf(pair)
    const left = free[unit] as Resources
    const demand = demandOf(job)
    left.cpuMilli -= sign * demand.cpuMilli
    left.memoryMiB -= sign * demand.memoryMiB
    left.diskMiB -= sign * demand.diskMiB
    money[accountOf(pair)] = (money[accountOf(pair)] as number) - sign * (pairs.collateral[pair] as number)
    taken[market.taskOf[job] as number] = sign === 1 ? 1 : 0
    welfare += sign * (pairs.welfare[pair] as number)
    if (sign === 1) members[unit]?.add(job)
    else members[unit]?.delete(job)
    placed[job] = sign === 1 ? pair : -1
  }

  return {
    placed,
    welfare: () => welfare,
    fits: (pair) => {
      const job = pairs.job[pair] as number
      const left = free[unitOf(pair)] as Resources
      const demand = demandOf(job)
      return taken[market.taskOf[job] as number] === 0 && demand.cpuMilli <= left.cpuMilli && demand.memoryMiB <= left.memoryMiB &&
        demand.diskMiB <= left.diskMiB && (pairs.collateral[pair] as number) <= (money[accountOf(pair)] as number)
    },
    place: (pair) => { move(pair, 1) },
    remove: (job) => {
      const pair = placed[job] as number
      move(pair, -1)
      return pair
    },
    slack: (pair) => {
      const unit = unitOf(pair)
      const left = free[unit] as Resources
      const whole = market.units[unit] as Resources
      const demand = demandOf(pairs.job[pair] as number)
      return Math.min(...(['cpuMilli', 'memoryMiB', 'diskMiB'] as const).map((name) => whole[name] === 0 ? 1 : (left[name] - demand[name]) / whole[name]))
    },
    on: (unit) => members[unit] as Set<number>,
    free: (unit) => free[unit] as Resources,
    freeCollateral: (account) => money[account] as number,
    matches: () => [...placed].filter((pair) => pair >= 0).map((pair) => ({
      job: (market.jobs[pairs.job[pair] as number] as JobRow).id,
      offer: (market.offers[pairs.offer[pair] as number] as { id: Match['offer'] }).id,
      devices: []
    }))
  }
}

/** The job's pair of most welfare that fits, the one of least slack among equals, then canonical order; -1 when none fits. */
export function bestPair (packing: Packing, pairs: Pairs, job: number): number {
  let best = -1
  let bestSlack = 0
  for (let pair = pairs.jobStart[job] as number; pair < (pairs.jobStart[job + 1] as number); pair++) {
    const ahead = best < 0 ? 1 : (pairs.welfare[pair] as number) - (pairs.welfare[best] as number)
    if (ahead < 0 || !packing.fits(pair)) continue
    const slack = packing.slack(pair)
    if (ahead > 0 || slack < bestSlack) {
      best = pair
      bestSlack = slack
    }
  }
  return best
}

/** Places each job of `order` that is not placed yet on its best pair. */
export function packGreedily (packing: Packing, pairs: Pairs, order: Iterable<number>): void {
  for (const job of order) {
    if ((packing.placed[job] as number) >= 0) continue
    const pair = bestPair(packing, pairs, job)
    if (pair >= 0) packing.place(pair)
  }
}
