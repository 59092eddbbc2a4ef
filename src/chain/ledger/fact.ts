import type { Address } from '../../wire/shapes.ts'
import type { ChainEvent } from '../decode-events.ts'
import type { Moved } from './moved.ts'

/** An event that an account's ledger needs; `moved`: what the data of its transaction adds; undefined where there is nothing to add or to read. */
export interface Fact { readonly event: ChainEvent, readonly moved?: Moved }

/** Deals that concern the account, by id; grows as facts are kept. */
export type KnownDeals = Set<string>

/** Events whose transaction tells what they moved. */
export function needsData ({ name }: ChainEvent): boolean {
  return name === 'BatchCommitted' || name === 'BatchSettled' || name === 'BatchExpired' || name === 'Concluded'
}

/** Whether the account's ledger needs this event. Slashes, verdicts and accusations are few, and kept whomever they name. */
export function isKept (account: Address, { event, moved }: Fact, deals: KnownDeals): boolean {
  switch (event.name) {
    case 'Deposited': case 'Withdrawn': case 'Bonded': case 'UnbondStarted': case 'Unbonded': case 'SessionFunded': case 'SessionSwept':
      return event.args.account === account
    case 'DealOpened':
      return event.args.creator === account || event.args.provider === account || event.args.feeTo === account
    case 'Reserved': case 'Redeemed': case 'Closed':
      return event.args.payer === account || event.args.payee === account
    case 'DealSettled': case 'DealDisputed':
      return deals.has(event.args.dealId)
    case 'DealClosed':
      return deals.has(event.args.dealId) || event.args.toMediator > 0
    case 'BatchCommitted': case 'BatchSettled': case 'BatchExpired':
      return moved !== undefined
    case 'BondSlashed': case 'Pooled': case 'MediatorSlashed': case 'MediatorDrawn': case 'VerdictGiven': case 'Ruled': case 'Appealed': case 'AppealEnded':
    case 'Accused': case 'Answered': case 'Concluded':
      return true
    default:
      return false
  }
}

/** Bits of leaves are the only values beyond JSON. */
export function encodeFact (fact: Fact): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(fact, (_key, value: unknown) => typeof value === 'bigint' ? `${value}n` : value))
}

/** Throws SyntaxError for what `encodeFact` did not write. */
export function decodeFact (bytes: Uint8Array): Fact {
  return JSON.parse(new TextDecoder().decode(bytes), (_key, value: unknown) => typeof value === 'string' && /^\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value) as Fact
}

/** Chain order. */
export function inOrder ({ event: left }: Fact, { event: right }: Fact): number {
  return left.blockNumber - right.blockNumber || left.logIndex - right.logIndex
}
