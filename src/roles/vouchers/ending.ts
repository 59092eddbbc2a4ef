import type { Chain, TxReceipt } from '../../chain/chain.ts'
import { toAccountSignature } from '../../chain/signing.ts'
import { closeCall, redeemCall, vouchersTogetherCall } from '../../chain/vouchers/calls.ts'
import type { Clock } from '../../core/clock.ts'
import { errorCode } from '../../core/errors.ts'
import type { Signer } from '../../identity/signer.ts'
import { channelEndDigest, type ChannelId, type SignedVoucher } from '../../wire/voucher.ts'
import type { Channels } from './channels.ts'

const LOOK_MS = 1000

/**
 * Ends a channel as its payee. With ETH in one transaction, whose `close` has no signature: it counts for its sender alone. A signed one counts by
 * itself, so who carries it could send it without the redemption: a payee without ETH has its voucher redeemed first, waits until that is
 * final, and signs then (protocol/vouchers.md, Between payer and payee). Rejects as Chain.send.
 */
export function createEnding (components: { chain: Pick<Chain, 'domain' | 'send'>, signer: Signer, channels: Channels, clock: Clock }): (channel: ChannelId, due: SignedVoucher | undefined, signal: AbortSignal) => Promise<TxReceipt[]> {
  const { chain, signer, channels, clock } = components
  const name = 'close-channel'
  /** As the chain has it at finality: a re-org must not bring the redemption after the closing. */
  const isUnpaid = async ({ payer, payee, nonce, amount }: SignedVoucher): Promise<boolean> => {
    const { nonce: live, until, paid } = await channels.of(payer, payee, 0)
    return live === nonce && until !== 0 && paid < amount
  }
  return async (channel, due, signal) => {
    try {
      return [await chain.send(due === undefined ? closeCall(channel) : vouchersTogetherCall([redeemCall(due), closeCall(channel)]), { name, signal })]
    } catch (error) {
      if (errorCode(error) !== 'CARRY_REFUSED') throw error
    }
    const receipts: TxReceipt[] = []
    if (due !== undefined) {
      receipts.push(await chain.send(redeemCall(due), { name: 'redeem', signal }))
      while (await isUnpaid(due)) await clock.wait(LOOK_MS, signal)
    }
    return [...receipts, await chain.send(closeCall(channel, toAccountSignature(signer.sign(channelEndDigest(chain.domain, 'Close', channel)))), { name, signal })]
  }
}
