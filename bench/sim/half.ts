import { createCertifier } from '../../src/match/class-certifier.ts'
import type { Certifier } from '../../src/match/certifier.ts'
import { createCompetition, type Competition } from '../../src/match/competition.ts'
import { DEFAULT_AUCTION_RULES as AUCTION, DEFAULT_MATCH_RULES as RULES } from '../../src/match/options.ts'
import type { Phases } from '../../src/match/phases.ts'
import type { JobRow, OfferRow, Snapshot } from '../../src/match/problem.ts'
import type { Ranked } from '../../src/match/ranking.ts'
import { rewardFee, rewardOf, type Reward } from '../../src/match/reward.ts'
import { cutoffsOf, snapshotOf, type Seen } from '../../src/match/snapshot.ts'
import { createClassPrices, type ClassPrices } from '../../src/roles/class-prices.ts'
import type { CoolDown } from '../../src/roles/cool-down.ts'
import type { Evidence } from '../../src/wire/auction.ts'
import type { Address, Hash } from '../../src/wire/shapes.ts'
import { DOMAIN, type Plan } from './solve.ts'
import type { HalfAt } from './world.ts'

/** Everything in the book with when one half saw it. */
export interface Sightings { jobs: Array<Seen<JobRow>>, offers: Array<Seen<OfferRow>> }

/** One epoch as the nodes of a half see it: the project's own competition, ranking, reward and class prices. */
export interface Half {
  readonly verify: Snapshot
  readonly prices: ClassPrices
  readonly competition: Competition
  ranking: () => readonly Ranked[]
  evidence: (solver: Address) => Evidence | undefined
  adopt: (evidence: Evidence, nowMs: number) => void
  feeOf: (solutionId: Hash, price: number) => number
}

/** What a solver of the half takes. */
export function solveSnapshot (seen: Sightings, phases: Phases): Snapshot {
  return snapshotOf(seen, { phases, cutoff: cutoffsOf(phases, AUCTION).solve, rules: RULES })
}

/** Rents are asked for once per offer and certificate: the project's certifier looks all classes up anew each time. */
function remembering (certifier: Certifier): Certifier {
  const known = new WeakMap<Uint8Array, Map<Hash, readonly number[]>>()
  return {
    ...certifier,
    rentsOf: (snapshot, certificate, offer) => {
      const rents = known.get(certificate) ?? new Map<Hash, readonly number[]>()
      known.set(certificate, rents)
      const found = rents.get(offer.id) ?? certifier.rentsOf(snapshot, certificate, offer)
      rents.set(offer.id, found)
      return found
    }
  }
}

/** Hears the plans as far as they reach the half in time, and ranks. */
export function createHalf (at: HalfAt, seen: Sightings, phases: Phases, plans: readonly Plan[], coolDown: CoolDown, { isBonded }: { isBonded: (solver: Address) => boolean }): Half {
  const verify = snapshotOf(seen, { phases, cutoff: cutoffsOf(phases, AUCTION).verify, rules: RULES })
  const yardstick = { snapshot: solveSnapshot(seen, phases), rules: AUCTION }
  const competition = createCompetition({ domain: DOMAIN, isBonded, isWelcome: (solver) => !coolDown.isCooling(solver, phases.epoch) }, { phases, rules: AUCTION })
  for (const { commit } of plans) if (commit !== undefined) competition.addCommit(commit.message, commit.atMs[at])
  for (const { reveal, certificate } of plans) {
    if (reveal !== undefined) competition.addReveal(reveal.message, reveal.atMs[at])
    if (certificate !== undefined) competition.addCertificate(certificate.message, certificate.atMs[at])
  }
  let ranked: readonly Ranked[] | undefined
  const rewards = new Map<Hash, { found: Reward | undefined }>()
  const ranking = (): readonly Ranked[] => ranked ??= competition.ranking(verify, yardstick)
  return {
    verify, competition, ranking,
    prices: createClassPrices({ certifier: remembering(createCertifier()), nowMs: () => phases.fallbackDeadline }, { rules: AUCTION, epochOf: () => ({ competition, snapshot: verify, ranking: ranking() }) }),
    evidence: competition.evidence,
    adopt: (evidence, nowMs) => {
      if (competition.adopt(evidence, nowMs).verdict !== 'accept') return
      ranked = undefined
      rewards.clear()
    },
    feeOf: (solutionId, price) => {
      const { found } = rewards.get(solutionId) ?? { found: rewardOf(verify, ranking(), solutionId) }
      rewards.set(solutionId, { found })
      return rewardFee(price, RULES, found)
    }
  }
}
