import { CodedError } from '../../src/core/errors.ts'
import { betterPairOf } from '../../src/match/better-pair.ts'
import { collateralFor } from '../../src/match/price.ts'
import { DEFAULT_MATCH_RULES as RULES } from '../../src/match/options.ts'
import type { JobRow, OfferRow } from '../../src/match/problem.ts'
import type { Ranked } from '../../src/match/ranking.ts'
import type { Address, Hash } from '../../src/wire/shapes.ts'
import type { Half } from './half.ts'
import { halfOf } from './world.ts'

/** A pair of a published solution. */
export interface Pair { readonly job: JobRow, readonly offer: OfferRow, readonly devices: readonly number[], readonly solver: Address, readonly solutionId: Hash }

/** What both sides agree on, nLILY; `pair` is that of the best solution that the provider knows. */
export interface Terms { readonly pair: Pair, readonly price: number, readonly fee: number, readonly collateral: number }

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
 * The creator's proposal and the provider's answer: each adopts the other's evidence, the provider takes the job by no worse solution than the best that it
 * knows and has not passed over, both take the union of their price certificates, and the solver must not be cheated of its fee. Undefined: no terms; a pair:
 * its provider signed terms that its solver does not open.
 */
export function agree (
  halves: readonly [Half, Half], proposed: Pair, phases: { epoch: number, nowMs: number }, { halfOfSolver, isPassedOver, pays }: { halfOfSolver: (solver: Address) => Half, isPassedOver: (pair: Pair) => boolean, pays: (creator: Address, fee: number) => number }
): Terms | { unopened: Pair } | undefined {
  const creator = halves[halfOf(proposed.job.account)]
  const provider = halves[halfOf(proposed.offer.account)]
  const pair = pairTaken(creator, provider, proposed, phases.nowMs, isPassedOver)
  if (pair === undefined) return undefined
  const price = priceOf(creator, provider, phases.epoch, pair)
  if (price === undefined) return undefined
  const fee = pays(pair.job.account, creator.feeOf(pair.solutionId, price))
  if (fee * 10 < halfOfSolver(pair.solver).feeOf(pair.solutionId, price) * 9) return { unopened: pair }
  return { pair, price, fee, collateral: collateralFor(price, RULES, pair.job.offer) }
}

/** The pair as the provider finds it, or its own by the best solution; the creator must find that one too. */
function pairTaken (creator: Half, provider: Half, proposed: Pair, nowMs: number, isPassedOver: (pair: Pair) => boolean): Pair | undefined {
  const found = foundBy(provider, proposed, creator, nowMs)
  const better = found === undefined ? undefined : betterPairOf(pairsOf(provider, found.job.id), found, isPassedOver)
  return better === undefined ? found : foundBy(creator, better, provider, nowMs)
}

/** The pair in the half's own ranking, once it has the other's evidence. */
function foundBy (half: Half, { job, offer, solver }: Pair, other: Half, nowMs: number): Pair | undefined {
  const evidence = other.evidence(solver)
  if (evidence === undefined) return undefined
  if (half !== other) half.adopt(evidence, nowMs)
  return pairsOf(half, job.id).find((pair) => pair.offer.id === offer.id && pair.solver === solver)
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
