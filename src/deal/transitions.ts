import { DealError } from './errors.ts'
import type { DealState } from './states.ts'

/** What happens to a deal. The upper group is seen between the parties, the lower one on chain. */
export type DealEvent =
  | 'consented' | 'started' | 'delivered' | 'withdrawn'
  | 'opened' | 'submitted' | 'settled' | 'finalized' | 'challenged' | 'revealed' | 'ruledCorrect' | 'ruledWrong' | 'ruledInconclusive'
  | 'refunded' | 'timedOut' | 'notOpened' | 'nullified'

/**
 * The state machine of one deal, the same for both parties. Chain events are final and may come in any state that is
 * not terminal, because a party may have been offline for everything before; own events only move a deal forward.
 */
const CHAIN_OUTCOMES = {
  settled: 'ResultsAccepted', finalized: 'ResultsAccepted', ruledCorrect: 'MediationAccepted', ruledWrong: 'MediationRejected',
  ruledInconclusive: 'Refunded', refunded: 'Refunded', timedOut: 'TimedOut', nullified: 'Cancelled'
} as const satisfies Partial<Record<DealEvent, DealState>>

const TABLE: Partial<Record<DealState, Partial<Record<DealEvent, DealState>>>> = {
  DealNegotiating: { consented: 'DealNegotiating', opened: 'DealAgreed', withdrawn: 'Cancelled', notOpened: 'Cancelled', ...CHAIN_OUTCOMES },
  DealAgreed: { opened: 'DealAgreed', started: 'Running', delivered: 'ResultsSubmitted', submitted: 'ResultsSubmitted', challenged: 'ResultsChallenged', ...CHAIN_OUTCOMES },
  Running: { opened: 'Running', started: 'Running', delivered: 'ResultsSubmitted', submitted: 'ResultsSubmitted', challenged: 'ResultsChallenged', ...CHAIN_OUTCOMES },
  ResultsSubmitted: { opened: 'ResultsSubmitted', delivered: 'ResultsSubmitted', submitted: 'ResultsSubmitted', challenged: 'ResultsChallenged', ...CHAIN_OUTCOMES },
  ResultsChallenged: { opened: 'ResultsChallenged', submitted: 'ResultsChallenged', challenged: 'ResultsChallenged', revealed: 'ResultsChallenged', ...CHAIN_OUTCOMES }
}

/** The next state, or undefined when the event does not belong to the state. */
export function nextState (state: DealState, event: DealEvent): DealState | undefined {
  return TABLE[state]?.[event]
}

/** The next state. Throws DealError DEAL_WRONG_STATE when the event does not belong to the state. */
export function transition (state: DealState, event: DealEvent): DealState {
  const next = nextState(state, event)
  if (next === undefined) throw new DealError('DEAL_WRONG_STATE', `${event} cannot happen in ${state}`, { data: { state, event } })
  return next
}
