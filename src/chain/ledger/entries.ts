import { createBatchEntries } from './batch-entries.ts'
import { openBooks, type LedgerRules } from './books.ts'
import { createDealEntries } from './deal-entries.ts'
import type { Entry, Holdings } from './entry.ts'
import type { Fact } from './fact.ts'
import { postVault } from './vault-entries.ts'
import { postVouchers } from './voucher-entries.ts'

/** protocol/ledger.md: an account's entries and their sums, from its facts in chain order. Pure. */
export function entriesOf (rules: LedgerRules, facts: readonly Fact[]): { entries: readonly Entry[], sums: Holdings } {
  const books = openBooks(rules, facts)
  const [postDeal, postBatch] = [createDealEntries(books), createBatchEntries(books)]
  for (const [index, { event, moved }] of facts.entries()) {
    if (event.contract === 'vault') postVault(books, event)
    else if (event.contract === 'batches') postBatch(event, moved, index)
    else if (event.contract === 'vouchers') postVouchers(books, event)
    else postDeal(event, index)
  }
  return { entries: books.entries, sums: books.holdings }
}
