import type { TxReceipt } from '../chain/sender.ts'
import type { Deal } from '../deal/deal.ts'

/** Notes a transaction of ours in a deal, once. `leaves`: how many deals of a batch share it. */
export function recordTransaction (receipt: Pick<TxReceipt, 'name' | 'hash' | 'gas' | 'from'>, leaves?: number): (deal: Deal) => void {
  return (deal) => {
    if (deal.transactions.some((known) => known.hash === receipt.hash)) return
    deal.transactions.push({ name: receipt.name, hash: receipt.hash, gas: receipt.gas, from: receipt.from, ...(leaves === undefined ? {} : { leaves }) })
  }
}
