import type { Address } from '../../wire/shapes.ts'
import type { ChainEvent } from '../decode-events.ts'
import { sharesBefore, type Books } from './books.ts'
import type { Change } from './entry.ts'
import type { Moved } from './moved.ts'

/** 1 LILY, as the contract Faults has it: of who accuses a solver. */
const STAKE = 1_000_000_000
/** Session funds are below this; what comes beyond is free money. */
const FUNDS_LIMIT = 2 ** 56

/** Entries of batches and of what solvers are accused of. */
export function createBatchEntries (books: Books): (event: ChainEvent & { contract: 'batches' }, moved: Moved | undefined, index: number) => void {
  const { rules: { account }, holdings, post } = books
  const accusations = new Map<string, { claimant: Address, solver: Address }>()

  const into = ({ number, amount }: { number: number, amount: number }): Change =>
    number === 0 || (holdings.sessions[number] ?? 0) + amount >= FUNDS_LIMIT ? { free: amount } : { session: amount, number }
  const giveBack = (event: ChainEvent, { owner, solver }: Moved, batch: `0x${string}` | undefined): void => {
    const subject = batch === undefined ? {} : { batch }
    if (owner !== undefined) post(event, 'refund', into(owner), { ...subject, deals: owner.deals })
    if (solver !== undefined) post(event, 'refund', { locked: -solver.escrow }, subject)
  }

  return (event, moved, index) => {
    switch (event.name) {
      case 'BatchCommitted': {
        const subject = { batch: event.args.id }
        if (moved?.owner !== undefined) post(event, 'lock', { session: -moved.owner.amount, number: moved.owner.number }, { ...subject, deals: moved.owner.deals })
        if (moved?.solver !== undefined) post(event, 'lock', { locked: moved.solver.escrow }, subject)
        break
      }
      case 'BatchSettled': {
        const subject = { batch: event.args.id }
        if (moved?.owner !== undefined) post(event, moved.owner.isProvider ? 'payment' : 'return', into(moved.owner), { ...subject, deals: moved.owner.deals })
        if (moved?.lines !== undefined) post(event, 'line', { free: moved.lines }, subject)
        if (moved?.solver !== undefined) post(event, 'fee', { free: moved.solver.fees, locked: -moved.solver.escrow }, subject)
        break
      }
      case 'BatchExpired':
        giveBack(event, moved ?? {}, event.args.id)
        break
      case 'Accused':
        accusations.set(event.args.key, { claimant: event.args.claimant, solver: event.args.solver })
        if (event.args.claimant === account) post(event, 'stake', { free: -STAKE, locked: STAKE })
        break
      case 'Answered': {
        const accusation = accusations.get(event.args.key)
        if (accusation?.claimant === account) post(event, 'slash', { locked: -STAKE })
        if (accusation?.solver === account) post(event, 'compensation', { free: STAKE })
        break
      }
      case 'Concluded': {
        const claimant = accusations.get(event.args.key)?.claimant
        const shares = sharesBefore(books, index)
        if (claimant === account) post(event, 'stake', { free: STAKE, locked: -STAKE })
        // Without a slash the leaf was resolved meanwhile, and nothing went back.
        if (shares.length > 0) giveBack(event, moved ?? {}, undefined)
        if ((moved?.victim ?? claimant) === account) post(event, 'compensation', { free: shares[0] ?? 0 })
        break
      }
      default:
    }
  }
}
