import { z } from 'zod'
import { askShape } from '../wire/resource-offer.ts'
import { addressShape, amountShape, uintShape } from '../wire/shapes.ts'
import { BP } from './integers.ts'

/** What the nodes of one network agree on about prices. Money is nLILY. */
export const matchRulesShape = z.strictObject({
  /** Reference unit prices: the price of a match, and the middle of the band that scores are clipped to. GPUs by model, for a second of a whole device. */
  reference: askShape.extend({ gpuSecond: z.strictObject({ default: amountShape, models: z.record(z.string().min(1).max(64), amountShape) }) }),
  /** Half width of the band round the reference price that limits and asks are clipped to before they count, bp. */
  bandBp: uintShape.max(BP),
  /** The solver's fee as a share of the price, bp, and the least it is. */
  feeBp: uintShape.max(BP),
  minFee: amountShape,
  /** What the provider locks, as a share of the price, bp (25,000 = 2.5 prices). */
  collateralBp: uintShape.max(1_000_000),
  /** Largest premium on an ask, for a provider without reputation, bp. */
  maxPremiumBp: uintShape.max(BP),
  /** What an epoch of waiting adds to a job's limit, bp of its reference price, and how many epochs count. */
  ageBp: uintShape.max(BP),
  maxAgeEpochs: uintShape.max(BP),
  /** An offer may become free this long after the boundary, ms. */
  maxAheadMs: uintShape.max(86_400_000),
  /** Lists of mediators that offers name by hash instead of one by one. */
  mediatorSets: z.array(z.array(addressShape).min(1).max(32)).max(8)
}).refine((rules) => rules.ageBp * rules.maxAgeEpochs <= BP, 'age must not count more than the reference price: ageBp * maxAgeEpochs is at most 10,000')
export type MatchRules = z.output<typeof matchRulesShape>

export const DEFAULT_MATCH_RULES: MatchRules = {
  // The ratio of cloud list prices (core : GiB : GiB of disk about 10 : 1 : 0.02 per hour); 3.6 LILY for one core and hour.
  // GPUs likewise: an on-demand T4 costs eleven cores, an H100 two hundred.
  reference: {
    base: 1_000_000, cpuMilliSecond: 1000, memoryMiBSecond: 100, diskMiBSecond: 2,
    gpuSecond: { default: 10_000_000, models: { t4: 11_000_000, a10: 25_000_000, v100: 80_000_000, a100: 95_000_000, h100: 200_000_000 } }
  },
  // 30 %: wide enough for the spread of list and spot prices of one region, so narrow that a wash pair gains 0.6 prices at most.
  bandBp: 3000,
  // 2 % pays a solver's transactions at a job of one core-hour; the minimum pays its share of a batch for small ones.
  feeBp: 200,
  minFee: 100_000,
  // A fine must exceed gain / audit probability; 2.5 is the bound at an audit rate of 40 % (protocol/deal.md).
  collateralBp: 25_000,
  // A provider that nobody knows is taken only where it is a tenth cheaper than one that everybody does.
  maxPremiumBp: 1000,
  // Half an hour's patience of a 10 s epoch is not rewarded: 5 minutes make 3 %, a tenth of the band, so that money decides.
  ageBp: 10,
  maxAgeEpochs: 30,
  // One epoch: what becomes free later is matched by the next auction.
  maxAheadMs: 10_000,
  mediatorSets: []
}

/** What the nodes of one network agree on about an epoch. Phases are shares of the epoch, so that a devnet only shortens `epochMs`. */
export const auctionRulesShape = z.strictObject({
  epochMs: uintShape.min(100),
  /** Records younger than this at the boundary wait for the next epoch, bp of the epoch. */
  graceBp: uintShape.max(BP),
  /** Ends of the phases, bp of the epoch, ascending. */
  commitBp: uintShape.max(BP),
  revealBp: uintShape.max(BP),
  fallbackBp: uintShape.max(BP),
  consentBp: uintShape.max(BP),
  /** Solvers whose commits a node keeps per epoch, and postings of the fall-back phase. */
  maxSolvers: uintShape.min(1).max(1024),
  maxFallbacks: uintShape.max(64),
  /** Bond without which a solver's commits are ignored, nLILY. */
  minSolverBond: amountShape,
  /** Share of a provider's reputation that its bond is, bp, and the bond that gives all of it, nLILY. */
  stakeBp: uintShape.max(BP),
  fullStake: amountShape,
  /** Certificates whose bound is within this of the lowest count, bp; at most so many, the lowest first; bounds that a node computes per epoch. */
  nearBp: uintShape.max(BP),
  maxCertificates: uintShape.min(1).max(5),
  maxBounds: uintShape.min(1).max(64),
  /** Accounts with offers, and accounts with jobs, without which a class has no price of its own. */
  minAccounts: uintShape.min(1),
  /** What a solution gives each class at least, as a share of what the floor gives it, bp; the matches that the floor must have in it; and the largest book that this is asked of, jobs times offers. */
  fairnessBp: uintShape.max(BP),
  fairnessMatches: uintShape.min(1),
  fairnessPairs: uintShape,
  /** Epochs that a node does not listen to a solver that stalled. */
  coolDownEpochs: uintShape.max(10_000)
}).refine((rules) => rules.commitBp < rules.revealBp && rules.revealBp < rules.fallbackBp && rules.fallbackBp < rules.consentBp, 'phases must ascend: commit, reveal, fallback, consent')
export type AuctionRules = z.output<typeof auctionRulesShape>

export const DEFAULT_AUCTION_RULES: AuctionRules = {
  // CoW's shortest solving time; gossip reaches every node in a tenth of it.
  epochMs: 10_000,
  // A record needs p99 of gossip (< 1 s) to be at every node before solvers fix their snapshot.
  graceBp: 1000,
  // Solving gets most of the first half: 3 s keep the slack of one second for the spread of the commit.
  commitBp: 4000,
  // 64 KB of reveal over three hops at home bandwidth.
  revealBp: 5500,
  // The floor of a small book is solved in milliseconds; its spread takes the second.
  fallbackBp: 6500,
  // Two signatures over one direct stream, with retries to the next-best solution, before the next boundary.
  consentBp: 10_000,
  // 64 x 64 KB of reveals = 4 MB, and 64 verifications of a millisecond each, per epoch.
  maxSolvers: 64,
  // Honest postings of the floor differ little; more of them add nothing.
  maxFallbacks: 16,
  // 50 LILY: a thousand fees of small jobs, so that filling all 64 places costs more than it can earn.
  minSolverBond: 50_000_000_000,
  // Of the premium's tenth 3 % are for money: it moves a choice by a step or two of the asks, and buys nobody the flow.
  stakeBp: 3000,
  // 400 LILY: a step of it is two solvers' bonds, locked for as long as unbonding takes.
  fullStake: 400_000_000_000,
  // Of a book of 8,000 x 1,500 engines state bounds 0.3 to 0.6 % above the optimum (240 to 100 steps of prices), of small ones within 0.1 %.
  nearBp: 50,
  // The median of three withstands one that was written to move it; of more, those with dearer bounds come to count (protocol/auction.md, Class price).
  maxCertificates: 3,
  // 16 x 60 ms at 8,000 x 1,500: a second of the epoch.
  maxBounds: 16,
  // With one or two accounts on a side the dual price is whatever the one names.
  minAccounts: 3,
  // Of solutions better than the floor none is lost at a half, one in eleven at four fifths (protocol/auction.md, Fairness).
  fairnessBp: 5000,
  // Of fewer matches a single one decides.
  fairnessMatches: 5,
  // The floor of 1,000 jobs on 200 offers takes 0.2 s.
  fairnessPairs: 200_000,
  // A minute: more than a stalling solver can earn in one epoch, less than a restarted one would be missed.
  coolDownEpochs: 6
}

/** A devnet's epoch: short enough to watch, long enough for processes on one machine to answer. */
export const DEVNET_AUCTION_RULES: AuctionRules = {
  ...DEFAULT_AUCTION_RULES,
  epochMs: 2000,
  // Processes of one loaded machine miss a reveal without ill will.
  coolDownEpochs: 1
}

/** What a match counts at least, and what a pair narrowed by a target or creators list counts, nLILY: more than no match, less than any trade in the open. */
export const ONE_TICK = 1

/** Matches that `verifySolution` looks at: ten times the largest book measured (4,760), below what stalls a node (50 ms). */
export const MAX_MATCHES = 50_000
