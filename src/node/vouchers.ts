import type { TransactionView } from '../api/facade.ts'
import type { ChannelView, VoucherFacade } from '../api/vouchers.ts'
import type { TxReceipt } from '../chain/chain.ts'
import type { Channel } from '../chain/vouchers/channel.ts'
import type { RunningRoles } from './roles.ts'

/** The owner's view of purse and till. `now`: the chain's unix seconds. */
export function createVoucherFacade ({ purse, till }: RunningRoles['vouchers'], { now, timeoutMs }: { now: () => Promise<number>, timeoutMs: number }): VoucherFacade {
  const signal = (): AbortSignal => AbortSignal.timeout(timeoutMs)
  const sent = async (sending: Promise<TxReceipt>): Promise<TransactionView> => {
    const { name, hash, gas, from } = await sending
    return { name, hash, gas, from }
  }
  const view = (as: ChannelView['as'], peer: string, signed: number, { nonce, reserved, paid, until, closeSeconds, isClosing }: Channel): ChannelView =>
    ({ as, peer, nonce, reserved, paid, signed, until, closeSeconds, isClosing })
  return {
    list: async () => [
      ...(await purse.list()).map(({ payee, signed, channel }) => view('payer', payee, signed, channel)),
      ...(await till.list()).map(({ payer, voucher, channel }) => view('payee', payer, voucher.nonce === channel.nonce ? voucher.amount : 0, channel))
    ],
    open: async ({ payee, amount, seconds, closeSeconds }) => await sent(purse.open(payee, amount, { expiry: await now() + seconds, closeSeconds, signal: signal() })),
    pay: async (payee, amount) => await purse.pay(payee, amount),
    take: async (voucher) => await till.take(voucher),
    redeem: async (payer) => await sent(till.redeem(signal(), payer === undefined ? undefined : [payer])),
    close: async (peer, as) => await sent(as === 'payer' ? purse.close(peer, signal()) : till.close(peer, signal()))
  }
}
