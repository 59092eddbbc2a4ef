import type { Address, Hash } from '../../wire/shapes.ts'

/** protocol/ledger.md: one movement of an account's money in the Vault. */

export type EntryKind = 'deposit' | 'reward' | 'withdrawal' | 'bond' | 'unbond' | 'unbonded' | 'session' | 'lock' | 'claim' | 'dispute' | 'payment' | 'return' | 'fee' | 'line' | 'mediation' | 'refund' | 'slash' | 'compensation' | 'stake' | 'reserve' | 'voucher' | 'release'

/** What changed, nLILY; what is left out did not. `number`: of the session. */
export interface Change { free?: number, locked?: number, bond?: number, unbonding?: number, session?: number, number?: number }
/** What an entry belongs to; of a batch also the account's deals in it that moved; of a channel the other side. */
export interface Subject { deal?: Hash, batch?: Hash, deals?: readonly Hash[], peer?: Address }
export interface Entry extends Change, Subject { id: string, block: number, time: number, transaction: Hash, kind: EntryKind }

/** An account's money in the Vault by where it stands, nLILY; `sessions` by number, without empty ones. */
export interface Holdings { free: number, locked: number, bond: number, unbonding: number, sessions: Record<number, number> }

/** All of an account: see protocol/ledger.md, Answer. */
export interface LedgerView { account: Address, upTo: number, entries: Entry[], sums: Holdings, chain: Holdings, isEqual: boolean }

/** Adds a change to holdings, in place. */
export function apply (holdings: Holdings, change: Change): void {
  holdings.free += change.free ?? 0
  holdings.locked += change.locked ?? 0
  holdings.bond += change.bond ?? 0
  holdings.unbonding += change.unbonding ?? 0
  if (change.session === undefined || change.number === undefined) return
  const funds = (holdings.sessions[change.number] ?? 0) + change.session
  if (funds === 0) Reflect.deleteProperty(holdings.sessions, change.number)
  else holdings.sessions[change.number] = funds
}

export function nothing (): Holdings {
  return { free: 0, locked: 0, bond: 0, unbonding: 0, sessions: {} }
}

/** What `right` has more than `left`; empty where they are equal. */
export function difference (left: Holdings, right: Holdings): Partial<Record<string, number>> {
  const flat = ({ sessions, ...plain }: Holdings): Record<string, number> => ({ ...plain, ...Object.fromEntries(Object.entries(sessions).map(([number, funds]) => [`session ${number}`, funds])) })
  const [of, than] = [flat(right), flat(left)]
  return Object.fromEntries([...new Set([...Object.keys(than), ...Object.keys(of)])].flatMap((name) => {
    const more = (of[name] ?? 0) - (than[name] ?? 0)
    return more === 0 ? [] : [[name, more]]
  }))
}
