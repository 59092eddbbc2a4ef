import type { Random } from '../core/random.ts'
import type { Market } from './market.ts'
import type { Packing } from './packing.ts'
import type { Pairs } from './pairs.ts'

/** How large a program may be: dense tableau of the solver, cubic time (0.3 s at 100 x 20, 12 to 22 s at 200 x 40, measured). */
export interface WindowLimits { maxJobs: number, maxUnits: number, maxPairs: number }

/** A part of the market that is solved anew while the rest stands. */
export interface LpWindow { seats: number[], columns: number[], whole: boolean }

/** Of the seats of a window, those that are placed now; the others compete for their place. */
const PLACED_SHARE = 0.6

/** Of the jobs that stand alone: all when the market is within the limits, else those of random units and the best of those left out. `order` is bundles by falling bid. */
export function chooseWindow (market: Market, pairs: Pairs, packing: Packing, order: Int32Array, random: Random, limits: WindowLimits): LpWindow {
  const whole = market.jobs.length <= limits.maxJobs && market.units.length <= limits.maxUnits
  const units = whole ? new Set(market.units.keys()) : chooseUnits(market, packing, random, limits)
  const inside = (pair: number): boolean => units.has(market.unitOf[pairs.offer[pair] as number] as number)
  const seats: number[] = []
  const waiting: number[] = []
  for (const bundle of order) {
    const [seat, ...others] = pairs.seats.bundles[bundle] as readonly number[] as [number, ...number[]]
    if (others.length > 0) continue
    const current = packing.placed[seat] as number
    if (current >= 0 ? inside(current) : columnsOf(pairs, seat).some(inside)) (current >= 0 ? seats : waiting).push(seat)
  }
  seats.push(...waiting)
  seats.splice(limits.maxJobs)

  const perJob = Math.max(2, Math.floor(limits.maxPairs / Math.max(1, seats.length)))
  const columns = seats.flatMap((seat) => {
    const own = columnsOf(pairs, seat).filter(inside)
    if (own.length <= perJob) return own
    const current = packing.placed[seat] as number
    const rank = (pair: number): number => pair === current ? Number.POSITIVE_INFINITY : pairs.welfare[pair] as number
    return own.sort((left, right) => rank(right) - rank(left) || left - right).slice(0, perJob)
  })
  return { seats, columns, whole }
}

function chooseUnits (market: Market, packing: Packing, random: Random, limits: WindowLimits): Set<number> {
  const units = new Set<number>()
  let placed = 0
  for (let draw = 0; draw < limits.maxUnits * 4 && units.size < Math.min(limits.maxUnits, market.units.length) && placed < limits.maxJobs * PLACED_SHARE; draw++) {
    const unit = random.below(market.units.length)
    if (!units.has(unit)) placed += packing.on(unit).size
    units.add(unit)
  }
  return units
}

function columnsOf (pairs: Pairs, job: number): number[] {
  const start = pairs.jobStart[job] as number
  return Array.from({ length: (pairs.jobStart[job + 1] as number) - start }, (_, at) => start + at)
}
