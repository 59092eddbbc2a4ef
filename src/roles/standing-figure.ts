import { BP } from '../match/integers.ts'
import type { AuctionRules } from '../match/options.ts'

/** Figures of a provider's history are rounded down to so many steps, and its bond to so many: few figures make few classes of offers. */
export const HISTORY_STEPS = 10
export const STAKE_STEPS = 4

/**
 * What a network knows of a provider as the one figure that the matching reads, 0 to 10,000 (protocol/matching.md, Reputation): its history, and up to
 * `stakeBp` of the whole for what it has bonded. `historyBp`: 0 to 10,000; `bond`: nLILY.
 */
export function standingFigure ({ historyBp, bond }: { historyBp: number, bond: number }, rules: Pick<AuctionRules, 'stakeBp' | 'fullStake'>): number {
  const history = Math.floor(historyBp * HISTORY_STEPS / BP)
  const stake = rules.fullStake === 0 ? STAKE_STEPS : Math.min(STAKE_STEPS, Math.floor(bond / Math.ceil(rules.fullStake / STAKE_STEPS)))
  return Math.floor((BP - rules.stakeBp) * history / HISTORY_STEPS) + Math.floor(rules.stakeBp * stake / STAKE_STEPS)
}
