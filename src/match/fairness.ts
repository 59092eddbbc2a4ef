import { classOf } from './class-price.ts'
import { solveFloor } from './floor.ts'
import { marketOf } from './market.ts'
import { BP } from './integers.ts'
import type { AuctionRules } from './options.ts'
import type { JobRow, OfferRow, Snapshot, Solution } from './problem.ts'
import { welfareOf } from './score.ts'

/** Scores by class: `cpu`, or the model of a match's first device. */
export type ClassScores = ReadonlyMap<string, bigint>

export type FairnessRules = Pick<AuctionRules, 'fairnessBp' | 'fairnessMatches' | 'fairnessPairs'>

/** What the matches of each class count, nLILY; of matches that the snapshot holds. */
export function classScoresOf (snapshot: Snapshot, { matches }: Solution): ClassScores {
  const { jobs, offers, jobIndex, offerIndex, rules } = marketOf(snapshot)
  const scores = new Map<string, bigint>()
  for (const { job, offer, devices } of matches) {
    const jobRow = jobs[jobIndex.get(job) ?? -1] as JobRow | undefined
    const offerRow = offers[offerIndex.get(offer) ?? -1] as OfferRow | undefined
    if (jobRow === undefined || offerRow === undefined) continue
    const name = classOf({ offer: offerRow, devices })
    scores.set(name, (scores.get(name) ?? 0n) + BigInt(welfareOf(jobRow, offerRow, rules, devices)))
  }
  return scores
}

/**
 * The floor's scores of the classes in which it has enough matches; undefined for a book with more than `fairnessPairs` jobs times offers, whose floor takes
 * too long to wait for.
 */
export function yardstickOf (snapshot: Snapshot, rules: FairnessRules): ClassScores | undefined {
  if (snapshot.jobs.length * snapshot.offers.length > rules.fairnessPairs) return undefined
  const floor = solveFloor(snapshot)
  const { offers, offerIndex } = marketOf(snapshot)
  const counts = new Map<string, number>()
  for (const { offer, devices } of floor.matches) {
    const name = classOf({ offer: offers[offerIndex.get(offer) as number] as OfferRow, devices })
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return new Map([...classScoresOf(snapshot, floor)].filter(([name]) => (counts.get(name) ?? 0) >= rules.fairnessMatches))
}

/** Whether every class of the floor has at least `fairnessBp` of what the floor gives it; protocol/auction.md, Fairness. */
export function isFair (scores: ClassScores, yardstick: ClassScores, fairnessBp: number): boolean {
  return [...yardstick].every(([name, floor]) => (scores.get(name) ?? 0n) * BigInt(BP) >= floor * BigInt(fairnessBp))
}
