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

/** What a solver of the half takes; by the proposed rule, all that it saw before the boundary. */
export function solveSnapshot (seen: Sightings, phases: Phases, isProposed = false): Snapshot {
  return snapshotOf(seen, { phases, cutoff: isProposed ? { seenBeforeMs: phases.epochStart } : cutoffsOf(phases, AUCTION).solve, rules: RULES })
}

/**
 * The proposed rule: what a node first saw after the solvers' old cutoff counts one tick. A list that names everybody makes a pair count a tick
 * (protocol/matching.md, Score) and leaves it admissible.
 */
function withLateAsTicks (snapshot: Snapshot, seen: Sightings, phases: Phases): Snapshot {
  const { seenBeforeMs } = cutoffsOf(phases, AUCTION).solve
  const late = new Set([...seen.jobs, ...seen.offers].filter(({ firstSeenMs }) => firstSeenMs >= seenBeforeMs).map(({ row }) => row.id))
  const providers = [...new Set(snapshot.offers.map(({ account }) => account))]
  const creators = [...new Set(snapshot.jobs.map(({ account }) => account))]
  return {
    ...snapshot,
    jobs: snapshot.jobs.map((row) => late.has(row.id) ? { ...row, offer: { ...row.offer, targets: providers } } : row),
    offers: snapshot.offers.map((row) => late.has(row.id) ? { ...row, offer: { ...row.offer, creators } } : row)
  }
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
export function createHalf (at: HalfAt, seen: Sightings, phases: Phases, plans: readonly Plan[], coolDown: CoolDown, { isBonded, isProposed = false }: { isBonded: (solver: Address) => boolean, isProposed?: boolean | undefined }): Half {
  const counted = snapshotOf(seen, { phases, cutoff: cutoffsOf(phases, AUCTION).verify, rules: RULES })
  const verify = isProposed ? withLateAsTicks(counted, seen, phases) : counted
  const yardstick = { snapshot: solveSnapshot(seen, phases, isProposed), rules: AUCTION }
  const competition = createCompetition({ domain: DOMAIN, isBonded, isWelcome: (solver) => !coolDown.isCooling(solver, phases.epoch) }, { phases, rules: AUCTION })
  for (const { commit } of plans) if (commit !== undefined) competition.addCommit(commit.message, commit.atMs[at])
  for (const { reveal, certificate } of plans) {
    if (reveal !== undefined) competition.addReveal(reveal.message, reveal.atMs[at])
    if (certificate !== undefined) competition.addCertificate(certificate.message, certificate.atMs[at])
  }
  // The other half of the proposed rule: prices by the classes of the machines that solvers knew.
  const priced = isProposed ? yardstick.snapshot : verify
  let ranked: readonly Ranked[] | undefined
  let reward: { found: Reward | undefined } | undefined
  const ranking = (): readonly Ranked[] => ranked ??= competition.ranking(verify, yardstick)
  return {
    verify, competition, ranking,
    prices: createClassPrices({ certifier: remembering(createCertifier()), nowMs: () => phases.fallbackDeadline }, { rules: AUCTION, epochOf: () => ({ competition, snapshot: priced, ranking: ranking() }) }),
    evidence: competition.evidence,
    adopt: (evidence, nowMs) => {
      if (competition.adopt(evidence, nowMs).verdict !== 'accept') return
      ranked = undefined
      reward = undefined
    },
    feeOf: (solutionId, price) => {
      reward ??= { found: rewardOf(verify, ranking()) }
      return rewardFee(price, RULES, solutionId === reward.found?.solutionId ? reward.found : undefined)
    }
  }
}
