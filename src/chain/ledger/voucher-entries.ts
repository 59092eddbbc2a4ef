import type { ChainEvent } from '../decode-events.ts'
import type { Books } from './books.ts'

/** What a payer reserves for a payee, what vouchers pay of it, and what comes back. */
export function postVouchers ({ rules: { account }, post }: Books, event: ChainEvent & { contract: 'vouchers' }): void {
  switch (event.name) {
    case 'Reserved':
      if (event.args.payer === account) post(event, 'reserve', { free: -event.args.added, locked: event.args.added }, { peer: event.args.payee })
      break
    case 'Redeemed':
      if (event.args.payer === account) post(event, 'voucher', { locked: -event.args.amount }, { peer: event.args.payee })
      if (event.args.payee === account) post(event, 'voucher', { free: event.args.amount }, { peer: event.args.payer })
      break
    case 'Closed':
      if (event.args.payer === account) post(event, 'release', { free: event.args.rest, locked: -event.args.rest }, { peer: event.args.payee })
      break
    default:
  }
}
