import { marketOf, type Market } from './market.ts'
import { ONE_TICK } from './options.ts'
import { feeFor, priceFor } from './price.ts'
import type { JobRow, Match, OfferRow, Snapshot } from './problem.ts'
import type { Ranked } from './ranking.ts'
import { welfareOf } from './score.ts'

/** What a solution adds over the best of another solver, and what its matches pay: nLILY. */
export interface Reward { readonly lead: number, readonly total: number }

/**
 * What a published solution of the ranking earns; undefined where it earns no more than minFee. Which one stands first here does not matter, and what counts are
 * records that every honest node knows alike: creator and solver, who saw the newest ones at different times, come to the same. protocol/auction.md, Reward.
 */
export function rewardOf (snapshot: Snapshot, ranking: readonly Ranked[], solutionId: Ranked['solutionId']): Reward | undefined {
  const own = ranking.find((ranked) => ranked.solutionId === solutionId)
  if (own === undefined || own.score <= 0 || own.fallback) return undefined
  const market = marketOf(snapshot)
  const others = ranking.filter(({ solver, fair }) => solver !== own.solver && fair === own.fair).map((ranked) => settledScore(market, ranked))
  const total = own.solution.matches.reduce((sum, match) => {
    const rows = rowsOf(market, match)
    return rows === undefined ? sum : Math.min(Number.MAX_SAFE_INTEGER, sum + feeFor(priceFor(rows.job.offer, rows.offer.offer, market.rules, match.devices), market.rules))
  }, 0)
  return { lead: Math.max(0, settledScore(market, own) - Math.max(0, ...others)), total }
}

/** The solver's fee of a deal at `price`, from minFee to feeFor(price), nLILY. */
export function rewardFee (price: number, rules: Snapshot['rules'], reward: Reward | undefined): number {
  if (reward === undefined || reward.total === 0) return rules.minFee
  const { lead, total } = reward
  return rules.minFee + Number(BigInt(feeFor(price, rules) - rules.minFee) * BigInt(Math.min(lead, total)) / BigInt(total))
}

/** What the counted matches add where one with a fresh record counts one tick. */
function settledScore (market: Market, { solution }: Ranked): number {
  return solution.matches.reduce((sum, match) => {
    const rows = rowsOf(market, match)
    if (rows === undefined) return sum
    const { job, offer } = rows
    return Math.min(Number.MAX_SAFE_INTEGER, sum + (job.fresh === true || offer.fresh === true ? ONE_TICK : welfareOf(job, offer, market.rules, match.devices)))
  }, 0)
}

function rowsOf (market: Market, { job, offer }: Match): { job: JobRow, offer: OfferRow } | undefined {
  const [jobRow, offerRow] = [market.jobs[market.jobIndex.get(job) ?? -1], market.offers[market.offerIndex.get(offer) ?? -1]]
  return jobRow === undefined || offerRow === undefined ? undefined : { job: jobRow, offer: offerRow }
}
