import { CodedError } from '../../src/core/errors.ts'
import { collateralFor } from '../../src/match/price.ts'
import { DEFAULT_MATCH_RULES as RULES } from '../../src/match/options.ts'
import type { JobRow, OfferRow } from '../../src/match/problem.ts'
import type { Ranked } from '../../src/match/ranking.ts'
import type { Address, Hash } from '../../src/wire/shapes.ts'
import type { Half } from './half.ts'
import { halfOf } from './world.ts'

/** A pair of a published solution. */
export interface Pair { readonly job: JobRow, readonly offer: OfferRow, readonly devices: readonly number[], readonly solver: Address, readonly solutionId: Hash }

/** What both sides agree on, nLILY. */
export interface Terms { readonly price: number, readonly fee: number, readonly collateral: number }

/** The pairs of a job that a node of the half may consent to, best solution first; none where the best leaves the job out (protocol/auction.md, Adoption). */
export function pairsOf (half: Half, jobId: Hash): Pair[] {
  const ranking = half.ranking()
  const job = half.verify.jobs.find(({ id }) => id === jobId)
  const pairs = job === undefined ? [] : ranking.filter(({ score }) => score > 0).flatMap((ranked) => pairsIn(half, ranked, job))
  return pairs[0]?.solver === ranking[0]?.solver ? pairs : []
}

function pairsIn (half: Half, { solution, solver, solutionId }: Ranked, job: JobRow): Pair[] {
  return solution.matches.filter((match) => match.job === job.id).flatMap((match) => {
    const offer = half.verify.offers.find(({ id }) => id === match.offer)
    return offer === undefined ? [] : [{ job, offer, devices: match.devices, solver, solutionId }]
  })
}

/**
 * The creator's proposal and the provider's answer: the provider adopts the evidence and must find the pair in its own ranking, both take the union of their
 * price certificates, and the solver must not be cheated of its fee. Undefined: no deal.
 */
export function agree (halves: readonly [Half, Half], pair: Pair, phases: { epoch: number, nowMs: number }, solverHalf: Half): Terms | undefined {
  const creator = halves[halfOf(pair.job.account)]
  const provider = halves[halfOf(pair.offer.account)]
  const evidence = creator.evidence(pair.solver)
  if (evidence === undefined) return undefined
  if (provider !== creator) provider.adopt(evidence, phases.nowMs)
  const isWanted = pairsOf(provider, pair.job.id).some(({ offer, solver }) => offer.id === pair.offer.id && solver === pair.solver)
  if (!isWanted) return undefined
  const price = priceOf(creator, provider, phases.epoch, pair)
  if (price === undefined) return undefined
  const fee = creator.feeOf(pair.solutionId, price)
  if (fee * 10 < solverHalf.feeOf(pair.solutionId, price) * 9) return undefined
  return { price, fee, collateral: collateralFor(price, RULES, pair.job.offer) }
}

function priceOf (creator: Half, provider: Half, epoch: number, pair: Pair): number | undefined {
  const own = creator.prices.setFor(epoch, pair)
  const other = provider.prices.setFor(epoch, pair)
  const union = [...new Set([...own, ...other])].sort()
  try {
    if (creator !== provider) {
      provider.prices.adopt(epoch, creator.prices.proofs(epoch, own.filter((id) => !other.includes(id))))
      creator.prices.adopt(epoch, provider.prices.proofs(epoch, other.filter((id) => !own.includes(id))))
    }
    const price = creator.prices.priceFor(epoch, pair, union)
    return price === provider.prices.priceFor(epoch, pair, union) ? price : undefined
  } catch (error) {
    // AUCTION_PRICE_SET: the two cannot agree on the certificates in this epoch.
    if (error instanceof CodedError) return undefined
    throw error
  }
}
