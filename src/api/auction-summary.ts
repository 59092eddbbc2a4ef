import type { AuctionDecision } from '../roles/decision.ts'
import type { AuctionSummary } from './facade.ts'

/** An epoch's ranking for readers: without the solutions themselves. */
export function auctionSummary ({ epoch, ranking }: AuctionDecision): AuctionSummary {
  return { epoch, solutions: ranking.map(({ solver, engine, score, matches, winner, fallback }) => ({ solver, engine, score, matches, winner, fallback })) }
}
