import { FALLBACK_SALT, tieKey, type AuctionCommit, type AuctionReveal, type Evidence } from '../wire/auction.ts'
import type { Address, Hash } from '../wire/shapes.ts'
import type { Domain } from '../wire/typed-data.ts'
import { doesReveal, isCommitSigned, openEvidence, openReveal, type EvidenceCode, type Opened } from './evidence.ts'
import type { Fault } from './fault.ts'
import { solveFloor } from './floor.ts'
import type { AuctionRules } from './options.ts'
import type { Phases } from './phases.ts'
import type { Snapshot, Solution } from './problem.ts'
import { marketOf } from './market.ts'
import { resolveSolution } from './resolve.ts'
import { verifySolution, type Verified } from './verify.ts'
import { findWhole } from './whole.ts'

/** Why a message was not taken (protocol/auction.md says which of them cost the sender score). */
export type AuctionCode = EvidenceCode | 'AUCTION_EARLY' | 'AUCTION_LATE' | 'AUCTION_DUPLICATE' | 'AUCTION_UNBONDED' | 'AUCTION_FULL' | 'AUCTION_FAULTY' | 'AUCTION_EQUIVOCATION'

/** What to do with a message: pass it on, drop it, or drop it and blame who sent it. */
export interface Judgement { verdict: 'accept' | 'ignore' | 'reject', code?: AuctionCode }

/** One published solution as this node scores it. */
export interface Ranked {
  solver: Address
  /** The solver's label for what it used; means nothing. */
  engine: string
  /** nLILY, recomputed on the snapshot; of a posting of the fall-back phase at most the floor's own. */
  score: number
  /** Matches that count, matches with ids unknown here. */
  matches: number
  unknown: number
  winner: boolean
  solutionId: Hash
  fallback: boolean
  /** The matches that count, with the whole ids of the snapshot. */
  solution: Solution
}

/** The auction of one epoch as one node sees it. Pure: time comes in with each message. */
export interface Competition {
  readonly phases: Phases
  addCommit: (commit: AuctionCommit, nowMs: number) => Judgement
  addReveal: (reveal: AuctionReveal, nowMs: number) => Judgement
  /** Takes another node's evidence until consents end, so that both rank the same solutions. */
  adopt: (evidence: Evidence, nowMs: number) => Judgement
  /** Every published solution, best first. Infeasible ones stand last with score 0 and never win. */
  ranking: (snapshot: Snapshot) => Ranked[]
  winner: (snapshot: Snapshot) => Ranked | undefined
  /** What makes another node take this solver's solution. */
  evidence: (solver: Address) => Evidence | undefined
  faults: () => readonly Fault[]
}

export interface CompetitionComponents {
  domain: Domain
  /** Whether a solver may commit: its bond in the contracts. Left out: everyone may. */
  isBonded?: (solver: Address) => boolean
}

/** Opens the competition of one epoch. */
export function createCompetition (components: CompetitionComponents, options: { phases: Phases, rules: Pick<AuctionRules, 'maxSolvers' | 'maxFallbacks'> }): Competition {
  const { domain, isBonded = () => true } = components
  const { phases, rules } = options
  const commits = new Map<Address, AuctionCommit>()
  const reveals = new Map<Address, Opened>()
  const faults = new Map<Address, Fault>()

  const fault = (found: Fault): Judgement => {
    faults.set(found.solver, found)
    reveals.delete(found.solver)
    // Passed on: every node shall know before it consents.
    return { verdict: 'accept', code: 'AUCTION_EQUIVOCATION' }
  }

  /** The rules that commits, reveals and postings share. */
  const screen = (message: { epoch: number, solver: Address }, nowMs: number, from: number, until: number): Judgement | undefined => {
    if (message.epoch !== phases.epoch) return ignore('AUCTION_EPOCH')
    if (nowMs < from) return ignore('AUCTION_EARLY')
    if (nowMs >= until) return ignore('AUCTION_LATE')
    return faults.has(message.solver) ? ignore('AUCTION_FAULTY') : undefined
  }

  const takeCommit = (commit: AuctionCommit): Judgement => {
    const { epoch, solver } = commit
    const first = commits.get(solver)
    if (first?.commitment === commit.commitment) return ignore('AUCTION_DUPLICATE')
    if (first === undefined && !isBonded(solver)) return ignore('AUCTION_UNBONDED')
    if (first === undefined && commits.size >= rules.maxSolvers) return ignore('AUCTION_FULL')
    if (!isCommitSigned(domain, commit)) return reject('AUCTION_SIGNATURE')
    if (first !== undefined) return fault({ kind: 'commit-twice', solver, epoch, messages: [first, commit] })
    commits.set(solver, commit)
    return { verdict: 'accept' }
  }

  /** A second reveal is a fault only if it says something else; signatures are not compared, they can be made anew. */
  const takeReveal = (reveal: AuctionReveal, commit: AuctionCommit | undefined): Judgement => {
    const { epoch, solver } = reveal
    const result = openReveal(domain, reveal)
    if (!result.ok) return reject(result.code)
    const first = reveals.get(solver)
    if (first !== undefined) {
      const same = first.solutionId === result.opened.solutionId && first.reveal.salt === reveal.salt
      return same ? ignore('AUCTION_DUPLICATE') : fault({ kind: 'reveal-twice', solver, epoch, messages: [first.reveal, reveal] })
    }
    if (commit !== undefined && !doesReveal(commit, result.opened)) return fault({ kind: 'reveal-mismatch', solver, epoch, messages: [commit, reveal] })
    reveals.set(solver, result.opened)
    return { verdict: 'accept' }
  }

  const post = (reveal: AuctionReveal): Judgement => {
    if (commits.has(reveal.solver)) return ignore('AUCTION_MISMATCH')
    const postings = [...reveals.values()].filter((opened) => isPosting(opened.reveal)).length
    return !reveals.has(reveal.solver) && postings >= rules.maxFallbacks ? ignore('AUCTION_FULL') : takeReveal(reveal, undefined)
  }

  /** A ranking is asked for with each proposal; a solution is resolved and scored once per snapshot. */
  const scores = new WeakMap<Snapshot, Map<Hash | 'floor', { verified: Verified, solution: Solution }>>()
  const scoreOf = (snapshot: Snapshot, id: Hash | 'floor', solutionOf: () => Solution): { verified: Verified, solution: Solution } => {
    const known = scores.get(snapshot) ?? new Map<Hash | 'floor', { verified: Verified, solution: Solution }>()
    scores.set(snapshot, known)
    const found = known.get(id)
    if (found !== undefined) return found
    const solution = solutionOf()
    const verified = verifySolution(snapshot, solution)
    const whole = findWhole(marketOf(snapshot), solution.matches)
    const scored = { verified, solution: { ...solution, matches: verified.ok && whole.ok ? whole.known.map(({ match }) => match) : [] } }
    known.set(id, scored)
    return scored
  }

  const ranking = (snapshot: Snapshot): Ranked[] => {
    const ranked = [...reveals.values()].map(({ reveal, solution: published, solutionId }): Ranked & { key: Hash } => {
      const { verified, solution } = scoreOf(snapshot, solutionId, () => resolveSolution(snapshot, published))
      const fallback = isPosting(reveal)
      // Who posts has seen all reveals: the floor's score is all that it can gain by them.
      const most = fallback ? scoreOf(snapshot, 'floor', () => solveFloor(snapshot)).verified.score : verified.score
      return {
        solver: reveal.solver, engine: solution.engine, score: Math.min(verified.score, most), matches: verified.counted, unknown: verified.unknown,
        winner: false, solutionId, fallback, solution, key: tieKey(phases.epoch, reveal.solver)
      }
    })
    ranked.sort((left, right) => right.score - left.score || Number(left.fallback) - Number(right.fallback) || (left.key < right.key ? -1 : 1))
    return ranked.map(({ key: _key, ...entry }, at) => ({ ...entry, winner: at === 0 && entry.score > 0 }))
  }

  return {
    phases,
    addCommit: (commit, nowMs) => screen(commit, nowMs, phases.epochStart, phases.commitDeadline) ?? takeCommit(commit),
    addReveal: (reveal, nowMs) => {
      if (isPosting(reveal)) return screen(reveal, nowMs, phases.revealDeadline, phases.fallbackDeadline) ?? post(reveal)
      // A reveal before the commit deadline harms only its author, whose clock runs ahead of ours.
      const screened = screen(reveal, nowMs, phases.epochStart, phases.revealDeadline)
      if (screened !== undefined) return screened
      const commit = commits.get(reveal.solver)
      return commit === undefined ? ignore('AUCTION_NO_COMMIT') : takeReveal(reveal, commit)
    },
    adopt: (evidence, nowMs) => {
      const { commit, reveal } = evidence
      const screened = screen(reveal, nowMs, phases.revealDeadline, phases.consentDeadline)
      if (screened !== undefined) return screened
      const result = openEvidence(domain, evidence)
      if (!result.ok) return reject(result.code)
      if (commit === undefined) return post(reveal)
      const taken = takeCommit(commit)
      const isKnown = taken.code === 'AUCTION_DUPLICATE'
      return taken.code === undefined || isKnown ? takeReveal(reveal, commit) : taken
    },
    ranking,
    winner: (snapshot) => ranking(snapshot).find((entry) => entry.winner),
    evidence: (solver) => {
      const opened = reveals.get(solver)
      if (opened === undefined) return undefined
      const commit = commits.get(solver)
      return { ...(commit === undefined ? {} : { commit }), reveal: opened.reveal }
    },
    faults: () => [...faults.values()]
  }
}

function isPosting (reveal: AuctionReveal): boolean {
  return reveal.salt === FALLBACK_SALT
}

function ignore (code: AuctionCode): Judgement {
  return { verdict: 'ignore', code }
}

function reject (code: AuctionCode): Judgement {
  return { verdict: 'reject', code }
}
