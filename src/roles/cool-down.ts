import type { Address } from '../wire/shapes.ts'

/** Solvers that this node does not listen to for a while; protocol/auction.md, Promises and cool-down. */
export interface CoolDown {
  /** Whether the solver stalled so lately that `epoch` is without it. */
  isCooling: (solver: Address, epoch: number) => boolean
  /** The solver stalled in `epoch`. */
  note: (solver: Address, epoch: number) => void
}

/** Each entry is a bonded solver or one that this node dealt with; the newest stay. */
const MAX_COOLING = 1024

export function createCoolDown (options: { epochs: number }): CoolDown {
  const stalled = new Map<Address, number>()
  return {
    isCooling: (solver, epoch) => epoch <= (stalled.get(solver) ?? Number.NEGATIVE_INFINITY) + options.epochs,
    note: (solver, epoch) => {
      const last = Math.max(epoch, stalled.get(solver) ?? epoch)
      stalled.delete(solver)
      stalled.set(solver, last)
      if (stalled.size > MAX_COOLING) stalled.delete(stalled.keys().next().value as Address)
    }
  }
}
