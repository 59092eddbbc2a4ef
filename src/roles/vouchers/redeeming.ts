import type { Chain, TxReceipt } from '../../chain/chain.ts'
import { redeemCall, vouchersTogetherCall } from '../../chain/vouchers/calls.ts'
import { errorCode } from '../../core/errors.ts'
import type { SignedVoucher } from '../../wire/voucher.ts'
import { RoleError } from '../errors.ts'
import type { Channels } from './channels.ts'

/** Vouchers in one transaction: some 700,000 gas, and as many as others carry (protocol/carry.md). */
export const REDEEMED_AT_ONCE = 16

/**
 * Redeems vouchers, many in one transaction. One that the chain refuses (its payer may have redeemed it a moment ago, to hold the others up) does
 * not keep the others back: they are sent one by one then. Throws RoleError VOUCHER_NOTHING for none, and as Chain.send where none was redeemed.
 */
export function createRedeeming ({ chain, channels }: { chain: Pick<Chain, 'send'>, channels: Pick<Channels, 'forget'> }): (due: ReadonlyArray<{ voucher: SignedVoucher }>, signal: AbortSignal) => Promise<TxReceipt[]> {
  const send = async (vouchers: readonly SignedVoucher[], signal: AbortSignal): Promise<TxReceipt> => {
    const [first, ...others] = vouchers.map(redeemCall)
    if (first === undefined) throw new RangeError('no voucher to redeem')
    const receipt = await chain.send(others.length === 0 ? first : vouchersTogetherCall([first, ...others]), { name: 'redeem', signal })
    for (const { payer, payee } of vouchers) channels.forget(payer, payee)
    return receipt
  }
  return async (due, signal) => {
    if (due.length === 0) throw new RoleError('VOUCHER_NOTHING', 'no voucher that this node holds pays more than was paid', { hint: 'See "lilynode voucher ls".' })
    const receipts: TxReceipt[] = []
    let failure: unknown
    const redeem = async (vouchers: readonly SignedVoucher[]): Promise<void> => {
      try {
        receipts.push(await send(vouchers, signal))
      } catch (error) {
        if (errorCode(error) !== 'CHAIN_REVERTED') throw error
        failure = error
        if (vouchers.length > 1) for (const voucher of vouchers) await redeem([voucher])
      }
    }
    const vouchers = due.map(({ voucher }) => voucher)
    for (let from = 0; from < vouchers.length; from += REDEEMED_AT_ONCE) await redeem(vouchers.slice(from, from + REDEEMED_AT_ONCE))
    if (receipts.length === 0) throw failure
    return receipts
  }
}
