import { LANE_STATES } from '../reads.ts'
import type { ChainEvent } from '../decode-events.ts'
import { BATCHED_LANE } from '../../wire/deal-terms.ts'
import type { Address, Hash } from '../../wire/shapes.ts'
import { pooledAfter, sharesBefore, type Books } from './books.ts'
import type { EntryKind } from './entry.ts'
import { mediatorShare, type Dispute } from './mediator-share.ts'

type DealOpened = Extract<ChainEvent, { name: 'DealOpened' }>['args']
/** What a deal locked; `extra`: what a challenge added. */
interface OpenDeal { args: DealOpened, escrow: number, extra: number }

/** Entries of deals and disputes. */
export function createDealEntries (books: Books): (event: ChainEvent & { contract: 'market' | 'court' }, index: number) => void {
  const { rules: { account, minMediatorBond }, post } = books
  const deals = new Map<Hash, OpenDeal>()
  const disputes = new Map<Hash, Dispute>()
  const appellants = new Map<Hash, Address>()
  const disputeOf = (deal: Hash): Dispute => {
    const dispute = disputes.get(deal) ?? { verdicts: [], drawn: [] }
    disputes.set(deal, dispute)
    return dispute
  }

  const opened = (event: ChainEvent & { name: 'DealOpened' }): void => {
    const { args } = event
    const [ofCreator, subject] = [args.price + args.fee + args.reserve, { deal: args.dealId }]
    const escrow = ofCreator + args.collateral
    deals.set(args.dealId, { args, escrow, extra: 0 })
    if (args.lane === BATCHED_LANE) {
      if (args.feeTo === account) post(event, 'claim', { locked: -escrow }, subject)
      if (args.provider === account) post(event, 'claim', { locked: escrow }, subject)
      return
    }
    if (args.creator === account) post(event, 'lock', { free: -ofCreator }, subject)
    if (args.provider === account) post(event, 'lock', { free: -args.collateral, locked: escrow }, subject)
  }
  const settled = (event: ChainEvent & { name: 'DealSettled' }): void => {
    const deal = deals.get(event.args.dealId)
    if (deal === undefined) return
    const { args, escrow } = deal
    const subject = { deal: args.dealId }
    if (args.provider === account) post(event, 'payment', { free: args.price + args.collateral, locked: -escrow }, subject)
    if (args.creator === account) post(event, 'return', { free: args.reserve }, subject)
    if (args.feeTo === account) post(event, 'fee', { free: args.fee }, subject)
  }
  const closed = (event: ChainEvent & { name: 'DealClosed' }): void => {
    const { dealId, to, toProvider, toCreator, toFee, toMediator, toPool } = event.args
    const [deal, subject, state] = [deals.get(dealId), { deal: dealId }, LANE_STATES[to]]
    if (toMediator > 0) post(event, 'mediation', { free: mediatorShare(disputeOf(dealId), event, account) }, subject)
    if (deal === undefined) return
    const isPaid = state === 'Settled' || state === 'MediationAccepted'
    // What `finalize` took from the creator's free money went through the escrow without an event of its own.
    const pulled = toProvider + toCreator + toFee + toMediator + toPool - deal.escrow - deal.extra
    const ofProvider: EntryKind = isPaid ? 'payment' : state === 'Refunded' ? 'refund' : 'slash'
    if (deal.args.provider === account) post(event, ofProvider, { free: toProvider, locked: -(deal.escrow + deal.extra) }, subject)
    if (deal.args.creator === account) post(event, isPaid ? 'return' : 'refund', { free: toCreator - pulled }, subject)
    if (deal.args.feeTo === account) post(event, 'fee', { free: toFee }, subject)
  }
  const appealEnded = (event: ChainEvent & { name: 'AppealEnded' }, index: number): void => {
    const { dealId, overturned } = event.args
    const [deal, appellant, subject] = [deals.get(dealId)?.args, appellants.get(dealId), { deal: dealId }]
    if (appellant === account) post(event, overturned ? 'stake' : 'slash', { free: overturned ? minMediatorBond : 0, locked: -minMediatorBond }, subject)
    if (overturned || deal === undefined) return
    const other = appellant === deal.creator ? deal.provider : deal.creator
    if (other === account) post(event, 'compensation', { free: minMediatorBond - pooledAfter(books, index) }, subject)
  }

  return (event, index) => {
    switch (event.name) {
      case 'DealOpened': opened(event); break
      case 'DealSettled': settled(event); break
      case 'DealClosed': closed(event); break
      case 'AppealEnded': appealEnded(event, index); break
      case 'DealDisputed': {
        const deal = deals.get(event.args.dealId)
        if (deal === undefined) break
        deal.extra += event.args.extra
        if (deal.args.creator === account) post(event, 'dispute', { free: -event.args.extra }, { deal: event.args.dealId })
        if (deal.args.provider === account) post(event, 'dispute', { locked: event.args.extra }, { deal: event.args.dealId })
        break
      }
      case 'MediatorDrawn': disputeOf(event.args.dealId).drawn.push(event.transactionHash); break
      case 'VerdictGiven': disputeOf(event.args.dealId).verdicts.push({ mediator: event.args.mediator, outcome: event.args.outcome, transaction: event.transactionHash }); break
      case 'Ruled': disputeOf(event.args.dealId).ruling = { each: event.args.each, paid: event.args.paid }; break
      case 'Appealed':
        appellants.set(event.args.dealId, event.args.appellant)
        if (event.args.appellant === account) post(event, 'stake', { free: -minMediatorBond, locked: minMediatorBond }, { deal: event.args.dealId })
        break
      case 'MediatorSlashed': {
        // Of a silent mediator's two halves the creator has a share of the first, the provider of the second; of a liar's bond nobody.
        const deal = deals.get(event.args.dealId)?.args
        const [ofCreator = 0, ofProvider = 0] = sharesBefore(books, index).slice(-2)
        if (deal?.creator === account) post(event, 'compensation', { free: ofCreator }, { deal: event.args.dealId })
        if (deal?.provider === account) post(event, 'compensation', { free: ofProvider }, { deal: event.args.dealId })
        break
      }
      default:
    }
  }
}
