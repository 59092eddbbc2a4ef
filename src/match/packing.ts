import type { Resources } from '../wire/job-offer.ts'
import { devicesLike, kindsOf, type Devices } from './devices.ts'
import type { Market } from './market.ts'
import type { Pairs } from './pairs.ts'
import type { JobRow, Match, OfferRow } from './problem.ts'

/** A pair and the devices that it has. */
export interface Placed { readonly pair: number, readonly devices: Devices }

/** A set of matches under construction: every `place` keeps capacities, devices, numbers and collateral; that bundles are whole is its user's care. */
export interface Packing {
  /** Per seat: its pair, or -1. */
  readonly placed: Int32Array
  /** Sum of what is placed; a double, exact below 2^53. Decides only what an engine tries, never a score. */
  welfare: () => number
  /** True when a seat of the pair's job is not placed and unit, devices, account and job numbers leave room. */
  fits: (pair: number) => boolean
  /** Places a pair that fits, on the devices that it finds now. */
  place: (pair: number) => void
  /** Takes a placed seat back and returns what it had. */
  remove: (seat: number) => Placed
  /** Undoes a `remove`, on the same devices: they must be free, as they are when later steps were undone first. */
  putBack: (placed: Placed) => void
  /** What is placed, for `reset`. */
  all: () => Placed[]
  /** Makes the packing what it was when `all` gave this. */
  reset: (to: readonly Placed[]) => void
  /** What the fullest resource of the pair's unit would have left, as a share of its capacity: best fit takes the smallest. */
  slack: (pair: number) => number
  /** Seats placed on a unit. */
  on: (unit: number) => ReadonlySet<number>
  /** The unit's free capacity, the account's free collateral. */
  free: (unit: number) => Readonly<Resources>
  freeCollateral: (account: number) => number
  matches: () => Match[]
}

/** An empty packing of the market. */
export function createPacking (market: Market, pairs: Pairs): Packing {
  const { seats } = pairs
  const placed = new Int32Array(seats.count).fill(-1)
  const holder = new Int32Array(market.tasks).fill(-1)
  const copies = new Int32Array(market.tasks)
  const free = market.units.map((unit) => ({ ...unit }))
  const shares = market.devices.map((unit) => [...unit])
  const devices: Devices[] = new Array<Devices>(seats.count).fill([])
  const kinds = market.offers.map(({ offer }) => kindsOf(offer))
  const money = [...market.accounts]
  const members = market.units.map(() => new Set<number>())
  let welfare = 0

  const rowOf = (pair: number): JobRow => market.jobs[pairs.job[pair] as number] as JobRow
  const demandOf = (pair: number): Resources => rowOf(pair).offer.resources
  const unitOf = (pair: number): number => market.unitOf[pairs.offer[pair] as number] as number
  const accountOf = (pair: number): number => market.accountOf[pairs.offer[pair] as number] as number
  /** The first seat of the pair's job that is not placed, -1 when all are. */
  const seatFor = (pair: number): number => {
    const job = pairs.job[pair] as number
    if ((placed[job] as number) < 0) return job
    return seats.twins.get(job)?.find((twin) => (placed[twin] as number) < 0) ?? -1
  }
  const tasksOf = (pair: number): readonly number[] => market.tasksOf[pairs.job[pair] as number] as readonly number[]
  const devicesNow = (pair: number): Devices | undefined =>
    devicesLike(pairs.variants[pairs.variant[pair] as number] as Devices, rowOf(pair).offer, kinds[pairs.offer[pair] as number] as readonly number[], shares[unitOf(pair)] as number[])
  const move = (seat: number, pair: number, sign: 1 | -1): void => {
    const unit = unitOf(pair)
    const left = free[unit] as Resources
    const { resources, gpus } = rowOf(pair).offer
    left.cpuMilli -= sign * resources.cpuMilli
    left.memoryMiB -= sign * resources.memoryMiB
    left.diskMiB -= sign * resources.diskMiB
    const room = shares[unit] as number[]
    for (const [entry, at] of (devices[seat] as Devices).entries()) room[at] = (room[at] as number) - sign * (gpus[entry]?.shareBp ?? 0)
    money[accountOf(pair)] = (money[accountOf(pair)] as number) - sign * (pairs.collateral[pair] as number)
    for (const task of tasksOf(pair)) {
      copies[task] = (copies[task] as number) + sign
      holder[task] = copies[task] === 0 ? -1 : pairs.job[pair] as number
    }
    welfare += sign * (pairs.welfare[pair] as number)
    if (sign === 1) members[unit]?.add(seat)
    else members[unit]?.delete(seat)
    placed[seat] = sign === 1 ? pair : -1
  }
  /** No other job has one of its numbers, no other copy of it this account. */
  const isApart = (pair: number): boolean => {
    const job = pairs.job[pair] as number
    if (!tasksOf(pair).every((task) => holder[task] === -1 || holder[task] === job)) return false
    const twins = seats.twins.get(job)
    return twins === undefined || [job, ...twins].every((twin) => (placed[twin] as number) < 0 || accountOf(placed[twin] as number) !== accountOf(pair))
  }

  const putBack = ({ pair, devices: at }: Placed): void => {
    const seat = seatFor(pair)
    devices[seat] = at
    move(seat, pair, 1)
  }
  const remove = (seat: number): Placed => {
    const pair = placed[seat] as number
    move(seat, pair, -1)
    return { pair, devices: devices[seat] as Devices }
  }

  const all = (): Placed[] => [...placed.keys()].filter((seat) => (placed[seat] as number) >= 0).map((seat) => ({ pair: placed[seat] as number, devices: devices[seat] as Devices }))

  return {
    placed,
    welfare: () => welfare,
    fits: (pair) => {
      const left = free[unitOf(pair)] as Resources
      const demand = demandOf(pair)
      return seatFor(pair) >= 0 && demand.cpuMilli <= left.cpuMilli && demand.memoryMiB <= left.memoryMiB &&
        demand.diskMiB <= left.diskMiB && (pairs.collateral[pair] as number) <= (money[accountOf(pair)] as number) && isApart(pair) && devicesNow(pair) !== undefined
    },
    place: (pair) => { putBack({ pair, devices: devicesNow(pair) as Devices }) },
    remove,
    putBack,
    all,
    reset: (to) => {
      for (const [seat, pair] of placed.entries()) if (pair >= 0) remove(seat)
      for (const one of to) putBack(one)
    },
    slack: (pair) => {
      const unit = unitOf(pair)
      const left = free[unit] as Resources
      const whole = market.units[unit] as Resources
      const demand = demandOf(pair)
      const resources = Math.min(...(['cpuMilli', 'memoryMiB', 'diskMiB'] as const).map((name) => whole[name] === 0 ? 1 : (left[name] - demand[name]) / whole[name]))
      const { gpus } = rowOf(pair).offer
      if (gpus.length === 0) return resources
      const room = shares[unit] as number[]
      return Math.min(resources, ...(devicesNow(pair) ?? []).map((at, entry) => ((room[at] as number) - (gpus[entry]?.shareBp ?? 0)) / (market.devices[unit]?.[at] as number)))
    },
    on: (unit) => members[unit] as Set<number>,
    free: (unit) => free[unit] as Resources,
    freeCollateral: (account) => money[account] as number,
    matches: () => all().map(({ pair, devices: at }) => ({ job: rowOf(pair).id, offer: (market.offers[pairs.offer[pair] as number] as OfferRow).id, devices: [...at] }))
  }
}

/** The seat's pair of most welfare that fits; among equals a near one, then that of least slack, then canonical order; -1 when none fits. */
export function bestPair (packing: Packing, pairs: Pairs, seat: number): number {
  let best = -1
  let bestSlack = 0
  const job = pairs.seats.job[seat] as number
  for (let pair = pairs.jobStart[job] as number; pair < (pairs.jobStart[job + 1] as number); pair++) {
    const ahead = best < 0 ? 1 : ((pairs.welfare[pair] as number) - (pairs.welfare[best] as number) || (pairs.near[pair] as number) - (pairs.near[best] as number))
    if (ahead < 0 || !packing.fits(pair)) continue
    const slack = packing.slack(pair)
    if (ahead > 0 || slack < bestSlack) {
      best = pair
      bestSlack = slack
    }
  }
  return best
}

/** Places each bundle of `order` that is not placed yet, each seat on its best pair, whole or not at all. */
export function packGreedily (packing: Packing, pairs: Pairs, order: Iterable<number>): void {
  for (const bundle of order) packBundle(packing, pairs, bundle)
}

/** Whether the bundle was not placed and is now. */
export function packBundle (packing: Packing, pairs: Pairs, bundle: number): boolean {
  const seats = pairs.seats.bundles[bundle] as readonly number[]
  if ((packing.placed[seats[0] as number] as number) >= 0) return false
  const done: number[] = []
  for (const seat of seats) {
    const pair = bestPair(packing, pairs, seat)
    if (pair < 0) {
      for (const other of done) packing.remove(other)
      return false
    }
    packing.place(pair)
    done.push(seat)
  }
  return true
}
