import type { Address, Hash } from '../wire/shapes.ts'
import type { ChainEvent } from './decode-events.ts'

/**
 * A dispute as its events told it, since the chain keeps a hash (protocol/deal.md, "Disputes on chain"). `mediators` has those with a
 * seat first, by seat, then those whose seat another got; times are unix seconds.
 */
export interface Dispute {
  readonly manifest: Hash
  readonly creatorSalt: Hash
  readonly providerSalt?: Hash
  readonly mediators: readonly Address[]
  /** How many seats another got; so many of `mediators` have none any more. */
  readonly replaced?: number
  /** Whose verdicts the Court has. */
  readonly answered?: readonly Address[]
  readonly ruling?: { readonly outcome: number, readonly each: number, readonly paid: readonly Address[], readonly appellant?: Address, readonly until: number }
}

const NOBODY = '0x0000000000000000000000000000000000000000'

/** Who has a seat, by seat. */
export function seated ({ mediators, replaced = 0 }: Dispute): readonly Address[] {
  return mediators.slice(0, mediators.length - replaced)
}

/** The dispute after one more event of its deal; events that were taken before change nothing. */
export function disputeAfter (dispute: Dispute | undefined, event: ChainEvent): Dispute | undefined {
  if (event.name === 'Challenged') return dispute ?? { manifest: event.args.manifest, creatorSalt: event.args.saltCreator, mediators: [] }
  if (dispute === undefined) return undefined
  const { mediators } = dispute
  switch (event.name) {
    case 'MediatorDrawn': {
      const { mediator, saltProvider: providerSalt } = event.args
      if (mediator === NOBODY || mediators.includes(mediator)) return { ...dispute, providerSalt }
      const vacant = mediators.indexOf(NOBODY)
      return { ...dispute, providerSalt, mediators: vacant < 0 ? [...mediators, mediator] : mediators.with(vacant, mediator) }
    }
    case 'MediatorReplaced': {
      const { mediator, seat } = event.args
      return mediators[seat] === mediator ? { ...dispute, mediators: [...mediators.with(seat, NOBODY), mediator], replaced: (dispute.replaced ?? 0) + 1 } : dispute
    }
    case 'VerdictGiven': {
      const { answered = [] } = dispute
      return answered.includes(event.args.mediator) ? dispute : { ...dispute, answered: [...answered, event.args.mediator] }
    }
    case 'Ruled': {
      const { outcome, each, paid, appealBy } = event.args
      return { ...dispute, ruling: dispute.ruling ?? { outcome, each, paid, until: appealBy } }
    }
    case 'Appealed':
      return dispute.ruling === undefined ? dispute : { ...dispute, ruling: { ...dispute.ruling, appellant: event.args.appellant, until: event.args.judgeBy } }
    default: return dispute
  }
}
