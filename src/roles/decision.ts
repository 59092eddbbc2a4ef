import type { PricedPair } from '../match/class-price.ts'
import type { Competition } from '../match/competition.ts'
import type { Snapshot } from '../match/problem.ts'
import type { Ranked } from '../match/ranking.ts'
import { rewardFee, rewardOf, type Reward } from '../match/reward.ts'
import { encodeEvidence } from '../wire/auction.ts'
import type { Address, Hash } from '../wire/shapes.ts'

/** One pair of a published solution, with all that its consent needs. */
export interface Pairing extends PricedPair { epoch: number, solver: Address, solverPeer: string | undefined, solutionId: Hash, evidence: Uint8Array }
/** An epoch as this node ranks it. `pairingsOf` gives a job's pairs, best solution first; `feeOf` a solver's fee for a pair of its solution at a price, nLILY. */
export interface AuctionDecision { epoch: number, ranking: readonly Ranked[], pairingsOf: (jobOfferId: Hash) => Pairing[], feeOf: (solutionId: Hash, price: number) => number }

/** What a ranking of the snapshot means for jobs and solvers. `peerOf`: where a solver is met. */
export function decisionOf (ranking: readonly Ranked[], held: { snapshot: Snapshot, competition: Pick<Competition, 'evidence'>, peerOf: (solver: Address) => string | undefined }): AuctionDecision {
  const { snapshot, competition, peerOf } = held
  const { epoch } = snapshot
  const jobs = new Map(snapshot.jobs.map((row) => [row.id, row]))
  const offers = new Map(snapshot.offers.map((row) => [row.id, row]))
  const pairingsIn = (ranked: Ranked, jobId: Hash): Pairing[] => {
    const job = jobs.get(jobId)
    const evidence = competition.evidence(ranked.solver)
    if (ranked.score <= 0 || job === undefined || evidence === undefined) return []
    return ranked.solution.matches.filter((match) => match.job === jobId).flatMap(({ offer: offerId, devices }): Pairing[] => {
      const offer = offers.get(offerId)
      return offer === undefined ? [] : [{ epoch, job, offer, devices, solver: ranked.solver, solverPeer: peerOf(ranked.solver), solutionId: ranked.solutionId, evidence: encodeEvidence(evidence) }]
    })
  }
  // Only who proposes or opens asks; a ranking is made for every proposal that comes.
  const rewards = new Map<Hash, { found: Reward | undefined }>()
  const rewardFor = (solutionId: Hash): Reward | undefined => {
    const { found } = rewards.get(solutionId) ?? { found: rewardOf(snapshot, ranking, solutionId) }
    rewards.set(solutionId, { found })
    return found
  }
  return {
    epoch,
    ranking,
    pairingsOf: (jobId) => {
      const pairings = ranking.flatMap((ranked) => pairingsIn(ranked, jobId))
      // A job that the best solution leaves out waits: a worse one would take what the best gave to others.
      return pairings[0]?.solver === ranking[0]?.solver ? pairings : []
    },
    feeOf: (solutionId, price) => rewardFee(price, snapshot.rules, rewardFor(solutionId))
  }
}
