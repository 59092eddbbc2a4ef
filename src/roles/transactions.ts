import type { TxReceipt } from '../chain/sender.ts'
import type { Deal } from '../deal/deal.ts'

/** Notes a transaction of ours in a deal, once. */
export function recordTransaction (receipt: Pick<TxReceipt, 'name' | 'hash' | 'gas' | 'from'>): (deal: Deal) => void {
  return (deal) => {
    if (deal.transactions.some((known) => known.hash === receipt.hash)) return
    deal.transactions.push({ name: receipt.name, hash: receipt.hash, gas: receipt.gas, from: receipt.from })
  }
}
