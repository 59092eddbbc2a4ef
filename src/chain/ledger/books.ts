import type { Address } from '../../wire/shapes.ts'
import type { ChainEvent } from '../decode-events.ts'
import { apply, nothing, type Change, type Entry, type EntryKind, type Holdings, type Subject } from './entry.ts'
import type { Fact } from './fact.ts'

/** What the rules need beside an account's facts. */
export interface LedgerRules { readonly account: Address, readonly rewards: Address, readonly minMediatorBond: number }

/** One account's books while its facts are gone through. */
export interface Books {
  readonly rules: LedgerRules
  readonly facts: readonly Fact[]
  readonly entries: readonly Entry[]
  readonly holdings: Holdings
  /** Writes an entry, unless nothing changed. */
  post: (event: ChainEvent, kind: EntryKind, change: Change, subject?: Subject) => void
}

export function openBooks (rules: LedgerRules, facts: readonly Fact[]): Books {
  const entries: Entry[] = []
  const holdings = nothing()
  return {
    rules,
    facts,
    entries,
    holdings,
    post: (event, kind, change, subject = {}) => {
      const { number, ...amounts } = change
      const changed = Object.fromEntries(Object.entries(amounts).filter(([, amount]) => amount !== 0))
      if (Object.keys(changed).length === 0) return
      const named = changed['session'] === undefined || number === undefined ? changed : { ...changed, number }
      apply(holdings, named)
      entries.push({ id: `${event.id}:${entries.length}`, block: event.blockNumber, time: event.blockTime, transaction: event.transactionHash, kind, ...subject, ...named })
    }
  }
}

/** The Pooled that one transfer of the Vault wrote right after the fact at `index`; 0 where there is none. */
export function pooledAfter ({ facts }: Books, index: number): number {
  const [event, next] = [facts[index]?.event, facts[index + 1]?.event]
  return next?.name === 'Pooled' && next.transactionHash === event?.transactionHash && next.logIndex === event.logIndex + 1 ? next.args.amount : 0
}

/** What victims got of the slashes right before the fact at `index`, in their order. */
export function sharesBefore (books: Books, index: number): number[] {
  const { facts } = books
  const shares: number[] = []
  for (let at = index - 1; at >= 0; at--) {
    const event = facts[at]?.event
    if (event?.transactionHash !== facts[index]?.event.transactionHash || (event?.name !== 'BondSlashed' && event?.name !== 'Pooled')) break
    if (event.name === 'BondSlashed') shares.unshift(event.args.amount - pooledAfter(books, at))
  }
  return shares
}
