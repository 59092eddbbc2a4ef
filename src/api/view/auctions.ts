import type { Put } from '../../book/projection.ts'
import type { AuctionView } from '../../roles/auction.ts'
import type { AuctionDecision } from '../../roles/decision.ts'
import { auctionSummary } from '../auction-summary.ts'

/** Puts the auctions of the last epochs into map `auctions` (protocol/view.md), then each as it is decided, until the returned function is called. */
export function projectAuctions (auction: Pick<AuctionView, 'currentEpoch' | 'decision' | 'onDecided'>, put: Put, epochs: number): () => void {
  const shown: number[] = []
  const show = (decision: AuctionDecision): void => {
    put('auctions', String(decision.epoch), () => auctionSummary(decision))
    shown.push(decision.epoch)
    while (shown[0] !== undefined && shown[0] <= decision.epoch - epochs) put('auctions', String(shown.shift()))
  }
  const now = auction.currentEpoch()
  for (let epoch = now - epochs + 1; epoch <= now; epoch++) {
    const decision = auction.decision(epoch)
    if (decision !== undefined && decision.ranking.length > 0) show(decision)
  }
  return auction.onDecided(show)
}
