/** States of a deal, with the names that Lilypad's users know. `protocol/deal.md` has the table that this folder follows. */
export const DEAL_STATES = [
  'DealNegotiating', 'DealAgreed', 'Running', 'ResultsSubmitted', 'ResultsAccepted', 'ResultsChallenged',
  'MediationAccepted', 'MediationRejected', 'Refunded', 'TimedOut', 'Cancelled'
] as const
export type DealState = typeof DEAL_STATES[number]

const TERMINAL: ReadonlySet<DealState> = new Set(['ResultsAccepted', 'MediationAccepted', 'MediationRejected', 'Refunded', 'TimedOut', 'Cancelled'])

/** True when nothing more can happen to the deal's money. */
export function isTerminal (state: DealState): boolean {
  return TERMINAL.has(state)
}
