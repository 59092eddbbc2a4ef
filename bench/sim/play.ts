import type { Phases } from '../../src/match/phases.ts'
import type { Address } from '../../src/wire/shapes.ts'
import type { Pair } from './consent.ts'
import type { Sightings } from './half.ts'
import type { Plan } from './solve.ts'
import type { Job, Unit, World } from './world.ts'

/** One epoch as a deviating solver sees it. `others` are the plans of all honest solvers: who answers to what they reveal must do so after they did. */
export interface Turn {
  readonly world: World
  readonly phases: Phases
  readonly seen: readonly [Sightings, Sightings]
  readonly others: readonly Plan[]
  /** What the solver at this place of the world would say if it were honest. */
  readonly honest: (at: number) => Plan
}

/** A deal that both sides signed, not opened yet. `cost`: what the run costs the provider, nLILY. */
export interface Deal { readonly job: Job, readonly unit: Unit, readonly price: number, readonly cost: number, readonly fee: number, readonly solver: Address, readonly epoch: number }

/** How a run is played. Whatever is left out is honest. */
export interface Play {
  /** What everybody says of jobs and machines. */
  readonly world: World
  /** Whose profit counts. */
  readonly members: ReadonlySet<Address>
  /** Solvers of the world that `say` speaks for, by place. */
  readonly solvers?: readonly number[]
  readonly say?: (turn: Turn) => Plan[]
  /** Solvers that are not of the world and have a bond. */
  readonly bonded?: readonly Address[]
  /** In which order a creator proposes the pairs that it may propose, best solution first. */
  readonly order?: (job: Job, pairs: readonly Pair[]) => readonly Pair[]
  /** What a creator offers its solver where it owes `fee`, nLILY. */
  readonly pays?: (creator: Address, fee: number) => number
  /** Whether the provider refuses to sign. */
  readonly refuses?: (deal: Deal) => boolean
  /** Whether an owner withdraws its money between consent and opening. */
  readonly drains?: (deal: Deal) => boolean
  /** Whether the solver breaks its promise to open. */
  readonly stalls?: (deal: Deal) => boolean
}
