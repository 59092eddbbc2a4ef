import type { Gain } from './measure.ts'

/** A first look at many strategies: beyond so many standard errors a gain is looked at again. One of 44 without any gain is, by chance. */
const SUSPECT = 2
/** What the second look may wrongly find among all strategies that do not gain. */
const CHANCE = 0.05

type Measured = Pick<Gain, 'gain' | 'error'>

/** Whether the strategy is played again on fresh seeds. */
export function isSuspect ({ gain, error }: Measured): boolean {
  return gain > SUSPECT * error
}

/**
 * Which of those that were played again gain more than noise, in their order: by Holm's method, so that whether none, some or all do, one that does not is
 * called so with a chance of 5 % at most over all. Since seeds are fresh, only those that were played again count as tries.
 */
export function gaining (again: readonly Measured[]): boolean[] {
  const order = again.map((row, at) => ({ at, chance: chanceOf(row) })).sort((left, right) => left.chance - right.chance)
  const firstNoise = order.findIndex(({ chance }, rank) => chance > CHANCE / (order.length - rank))
  const found = new Set(order.slice(0, firstNoise < 0 ? order.length : firstNoise).map(({ at }) => at))
  return again.map((_, at) => found.has(at))
}

/** How likely a mean so far above 0 is where there is no gain, by the normal distribution: four dozen seeds are enough for it. */
function chanceOf ({ gain, error }: Measured): number {
  if (error === 0) return gain > 0 ? 0 : 1
  return normalTail(gain / error)
}

/** Chance of a normal value above `z`; Abramowitz and Stegun 26.2.17, to 7.5e-8. */
export function normalTail (z: number): number {
  if (z < 0) return 1 - normalTail(-z)
  const t = 1 / (1 + 0.2316419 * z)
  const terms = [0.319381530, -0.356563782, 1.781477937, -1.821255978, 1.330274429]
  return Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI) * terms.reduce((sum, term, at) => sum + term * t ** (at + 1), 0)
}
