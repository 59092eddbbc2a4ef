import type { Random } from '../core/random.ts'
import type { Market } from './market.ts'
import type { Packing } from './packing.ts'
import type { Pairs } from './pairs.ts'

/** How large a program may be: dense tableau of the solver, cubic time (0.3 s at 100 x 20, 12 to 22 s at 200 x 40, measured). */
export interface WindowLimits { maxJobs: number, maxUnits: number, maxPairs: number }

/** A part of the market that is solved anew while the rest stands. */
export interface LpWindow { jobs: number[], columns: number[], whole: boolean }

/** Of the jobs of a window, those that are placed now; the others compete for their place. */
const PLACED_SHARE = 0.6

/** The whole market when it is within the limits, else random units with their jobs and the best of the jobs left out. `order` is jobs by falling bid. */
export function chooseWindow (market: Market, pairs: Pairs, packing: Packing, order: Int32Array, random: Random, limits: WindowLimits): LpWindow {
  const whole = market.jobs.length <= limits.maxJobs && market.units.length <= limits.maxUnits
  const units = whole ? new Set(market.units.keys()) : chooseUnits(market, packing, random, limits)
  const inside = (pair: number): boolean => units.has(market.unitOf[pairs.offer[pair] as number] as number)
  const jobs: number[] = []
  const waiting: number[] = []
  for (const job of order) {
    const current = packing.placed[job] as number
    if (current >= 0 ? inside(current) : columnsOf(pairs, job).some(inside)) (current >= 0 ? jobs : waiting).push(job)
  }
  jobs.push(...waiting)
  jobs.splice(limits.maxJobs)

  const perJob = Math.max(2, Math.floor(limits.maxPairs / Math.max(1, jobs.length)))
  const columns = jobs.flatMap((job) => {
    const own = columnsOf(pairs, job).filter(inside)
    if (own.length <= perJob) return own
    const current = packing.placed[job] as number
    const rank = (pair: number): number => pair === current ? Number.POSITIVE_INFINITY : pairs.welfare[pair] as number
    return own.sort((left, right) => rank(right) - rank(left) || left - right).slice(0, perJob)
  })
  return { jobs, columns, whole }
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
