import { FALLBACK_SALT, tieKey, type AuctionReveal } from '../wire/auction.ts'
import type { Address, Hash } from '../wire/shapes.ts'
import type { Opened } from './evidence.ts'
import { classScoresOf, isFair, yardstickOf, type ClassScores, type FairnessRules } from './fairness.ts'
import { solveFloor } from './floor.ts'
import { marketOf } from './market.ts'
import type { Snapshot, Solution } from './problem.ts'
import { resolveSolution } from './resolve.ts'
import { withoutDeparted } from './snapshot.ts'
import { verifySolution, type Verified } from './verify.ts'
import { findWhole } from './whole.ts'

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
  /** False for a solution that leaves a class worse off than the floor does by more than the rules allow; it stands behind those that do not. */
  fair: boolean
  solutionId: Hash
  fallback: boolean
  /** The matches that count, with the whole ids of the snapshot. */
  solution: Solution
}

/** True for a posting of the fall-back phase. */
export function isPosting (reveal: AuctionReveal): boolean {
  return reveal.salt === FALLBACK_SALT
}

/** What solutions are held against: the floor of the records that every solver could know. Left out: nothing is held unfair. */
export interface Yardstick { readonly snapshot: Snapshot, readonly rules: FairnessRules }

/** protocol/auction.md, Ranking: every published solution, best first. A ranking is asked for with each proposal; a solution is resolved and scored once per snapshot. */
export function createRanking (): (snapshot: Snapshot, reveals: readonly Opened[], yardstick?: Yardstick) => Ranked[] {
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

  /** By the solution as it was resolved for one snapshot. */
  const classScores = new WeakMap<Solution, ClassScores>()
  const floors = new WeakMap<Snapshot, { scores: ClassScores | undefined }>()
  const isFairOn = (snapshot: Snapshot, solution: Solution, yardstick: Yardstick | undefined): boolean => {
    if (yardstick === undefined) return true
    const known = floors.get(yardstick.snapshot) ?? { scores: yardstickOf(yardstick.snapshot, yardstick.rules) }
    floors.set(yardstick.snapshot, known)
    if (known.scores === undefined) return true
    const own = classScores.get(solution) ?? classScoresOf(snapshot, solution)
    classScores.set(solution, own)
    return isFair(own, known.scores, yardstick.rules.fairnessBp)
  }

  return (snapshot, reveals, yardstick) => {
    const ranked = reveals.map(({ reveal, solution: published, solutionId }): Ranked & { key: Hash } => {
      const { verified, solution } = scoreOf(snapshot, solutionId, () => resolveSolution(snapshot, published))
      const fallback = isPosting(reveal)
      // Who posts has seen all reveals: the floor's score is all that it can gain by them.
      const most = fallback ? scoreOf(snapshot, 'floor', () => solveFloor(withoutDeparted(snapshot))).verified.score : verified.score
      return {
        solver: reveal.solver, engine: solution.engine, score: Math.min(verified.score, most), matches: verified.counted, unknown: verified.unknown,
        winner: false, fair: verified.score > 0 && isFairOn(snapshot, solution, yardstick), solutionId, fallback, solution, key: tieKey(reveal.epoch, reveal.solver)
      }
    })
    ranked.sort((left, right) => Number(right.fair) - Number(left.fair) || right.score - left.score || Number(left.fallback) - Number(right.fallback) || (left.key < right.key ? -1 : 1))
    return ranked.map(({ key: _key, ...entry }, at) => ({ ...entry, winner: at === 0 && entry.score > 0 }))
  }
}
