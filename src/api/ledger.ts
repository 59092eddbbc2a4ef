import { ApiError } from './errors.ts'
import type { LedgerPage, LedgerView } from './facade.ts'
import type { Route } from './routes.ts'

/** Entries of one answer: some 300 KB. */
const PAGE = 1000

/** protocol/ledger.md, Answer: the first entries, and those from a place on. */
export const LEDGER_ROUTES: readonly Route[] = [
  { method: 'GET', path: '/v1/ledger', answer: async (facade) => pageOf(await facade.ledger(), 0) },
  { method: 'GET', path: '/v1/ledger/:from', answer: async (facade, { from = '' }) => pageOf(await facade.ledger(), placeOf(from)) }
]

function pageOf (ledger: LedgerView, from: number): LedgerPage {
  return { ...ledger, total: ledger.entries.length, entries: ledger.entries.slice(from, from + PAGE) }
}

function placeOf (text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new ApiError('API_BAD_REQUEST', `"${text.slice(0, 64)}" is no number of an entry`, { data: { from: text.slice(0, 64) }, hint: 'The first entry has number 0.' })
  return Number(text)
}
