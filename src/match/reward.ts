import { marketOf } from './market.ts'
import { feeFor, priceFor } from './price.ts'
import type { JobRow, OfferRow, Snapshot } from './problem.ts'
import type { Ranked } from './ranking.ts'

/** What the best solution adds, and what its matches pay: nLILY. */
export interface Reward { readonly solutionId: Ranked['solutionId'], readonly lead: number, readonly total: number }

/** The reward that a ranking's best solution earns; undefined where nothing won. protocol/auction.md, Reward. */
export function rewardOf (snapshot: Snapshot, ranking: readonly Ranked[]): Reward | undefined {
  const [best] = ranking
  if (best?.winner !== true) return undefined
  const market = marketOf(snapshot)
  const others = ranking.find(({ solver, fair }) => solver !== best.solver && fair === best.fair)?.score
  const total = best.solution.matches.reduce((sum, match) => {
    const jobAt = market.jobIndex.get(match.job)
    const offerAt = market.offerIndex.get(match.offer)
    if (jobAt === undefined || offerAt === undefined) return sum
    const price = priceFor((market.jobs[jobAt] as JobRow).offer, (market.offers[offerAt] as OfferRow).offer, market.rules, match.devices)
    return Math.min(Number.MAX_SAFE_INTEGER, sum + feeFor(price, market.rules))
  }, 0)
  return { solutionId: best.solutionId, lead: best.fallback ? 0 : best.score - (others ?? 0), total }
}

/** The solver's fee of a deal at `price`, from minFee to feeFor(price), nLILY. `reward` is undefined for any solution but the best. */
export function rewardFee (price: number, rules: Snapshot['rules'], reward: Reward | undefined): number {
  if (reward === undefined || reward.total === 0) return rules.minFee
  const { lead, total } = reward
  return rules.minFee + Number(BigInt(feeFor(price, rules) - rules.minFee) * BigInt(Math.min(lead, total)) / BigInt(total))
}
