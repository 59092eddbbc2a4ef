import type { Address, Hash } from '../../wire/shapes.ts'
import type { ChainEvent } from '../decode-events.ts'
import { LANE_STATES } from '../reads.ts'

/** What the Court told of a dispute. `drawn`: a transaction for each mediator drawn, replacements too. */
export interface Dispute { verdicts: Array<{ mediator: Address, outcome: number, transaction: Hash }>, drawn: Hash[], ruling?: { each: number, paid: readonly Address[] } }

/** What a mediator got of `toMediator` when its deal closed (protocol/deal.md, Disputes on chain). */
export function mediatorShare ({ verdicts, drawn, ruling }: Dispute, event: Extract<ChainEvent, { name: 'DealClosed' }>, mediator: Address): number {
  if (ruling !== undefined) return ruling.paid.includes(mediator) ? ruling.each : 0
  const paid = paidOf(verdicts, drawn, event)
  return paid.includes(mediator) ? event.args.toMediator / paid.length : 0
}

function paidOf (verdicts: Dispute['verdicts'], drawn: readonly Hash[], { args, transactionHash }: Extract<ChainEvent, { name: 'DealClosed' }>): Address[] {
  const of = (outcome: number): Address[] => verdicts.filter((verdict) => verdict.outcome === outcome).map((verdict) => verdict.mediator)
  switch (LANE_STATES[args.to]) {
    // An audit: the verdict came with the settlement.
    case 'Settled': return verdicts.filter(({ transaction }) => transaction === transactionHash).map((verdict) => verdict.mediator)
    case 'MediationAccepted': return of(1)
    case 'MediationRejected': return of(2)
    default: {
      // As many as must agree did, or all that answered are paid. The first draw has 2k - 1 seats where so many were live.
      const seats = drawn.filter((transaction) => transaction === drawn[0]).length
      const inconclusive = of(3)
      return inconclusive.length >= (seats + 1) / 2 ? inconclusive : verdicts.map((verdict) => verdict.mediator)
    }
  }
}
