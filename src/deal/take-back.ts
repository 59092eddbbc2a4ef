import type { Deal } from './deal.ts'
import type { DealState } from './states.ts'

/** Where the contract has a deal: the names of LaneState in chain/reads.ts. */
export type ChainState = 'None' | 'Open' | 'Submitted' | 'Challenged' | 'Drawn' | (string & {})

/**
 * Puts a deal where the chain has it, after a re-org that took back what the journal was told. What the parties signed stays: it is
 * all that is needed to do the same again. A state in which the deal is over changes nothing.
 */
export function takeBack (deal: Deal, chainState: ChainState): void {
  const state = stateFor(deal, chainState)
  if (state === undefined) return
  deal.state = state
  if (chainState !== 'Drawn') delete deal.revealedAt
  if (chainState === 'Challenged' && deal.dispute !== undefined) deal.dispute = { manifest: deal.dispute.manifest, creatorSalt: deal.dispute.creatorSalt, mediators: [] }
  if (chainState === 'None' || chainState === 'Open' || chainState === 'Submitted') {
    delete deal.challengedAt
    delete deal.dispute
  }
  if (chainState === 'None' || chainState === 'Open') delete deal.submittedAt
  if (chainState === 'None') {
    delete deal.openedAt
    delete deal.batch
    delete deal.statement
  }
}

function stateFor (deal: Deal, chainState: ChainState): DealState | undefined {
  switch (chainState) {
    case 'None': return 'DealNegotiating'
    case 'Open': return deal.result !== undefined ? 'ResultsSubmitted' : deal.start?.creatorSignature !== undefined ? 'Running' : 'DealAgreed'
    case 'Submitted': return 'ResultsSubmitted'
    case 'Challenged': case 'Drawn': return 'ResultsChallenged'
    default: return undefined
  }
}
