import type { TransactionView } from '../api/facade.ts'
import type { ChannelView, VoucherFacade } from '../api/vouchers.ts'
import type { TxReceipt } from '../chain/chain.ts'
import type { Channel } from '../chain/vouchers/channel.ts'
import type { RunningRoles } from './roles.ts'

/** The owner's view of purse and till. `now`: the chain's unix seconds. */
export function createVoucherFacade ({ purse, till }: RunningRoles['vouchers'], { now, timeoutMs }: { now: () => Promise<number>, timeoutMs: number }): VoucherFacade {
  const signal = (): AbortSignal => AbortSignal.timeout(timeoutMs)
  const sent = ({ name, hash, gas, from }: TxReceipt): TransactionView => ({ name, hash, gas, from })
  const view = (as: ChannelView['as'], peer: string, signed: number, { nonce, reserved, paid, until, closeSeconds, isClosing }: Channel): ChannelView =>
    ({ as, peer, nonce, reserved, paid, signed, until, closeSeconds, isClosing })
  return {
    list: async () => [
      ...(await purse.list()).map(({ payee, signed, channel }) => view('payer', payee, signed, channel)),
      ...(await till.list()).map(({ payer, voucher, channel }) => view('payee', payer, voucher.nonce === channel.nonce ? voucher.amount : 0, channel))
    ],
    open: async ({ payee, amount, seconds, closeSeconds }) => sent(await purse.open(payee, amount, { expiry: await now() + seconds, closeSeconds, signal: signal() })),
    pay: async (payee, amount) => await purse.pay(payee, amount),
    take: async (voucher) => await till.take(voucher),
    redeem: async (payer) => (await till.redeem(signal(), payer === undefined ? undefined : [payer])).map(sent),
    close: async (peer, as) => (as === 'payer' ? [await purse.close(peer, signal())] : await till.close(peer, signal())).map(sent)
  }
}
