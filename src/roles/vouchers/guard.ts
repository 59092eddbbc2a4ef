import type { Chain } from '../../chain/chain.ts'
import type { Clock } from '../../core/clock.ts'
import { errorMessage } from '../../core/errors.ts'
import type { Startable } from '../../core/lifecycle.ts'
import type { Logger } from '../../core/logger.ts'
import type { Address } from '../../wire/shapes.ts'
import type { Channels } from './channels.ts'
import type { Till } from './till.ts'

const LOOK_MS = 30_000
/** Some inclusion and a replacement (protocol/vouchers.md, Limits of a node). */
const MARGIN_SECONDS = 300

export interface VoucherGuardComponents { chain: Pick<Chain, 'address' | 'onEvent' | 'blockTime'>, channels: Channels, till: Pick<Till, 'list' | 'redeem' | 'forget'>, clock: Clock, logger: Logger }

/** Redeems by itself when a payer closes, and before a channel ends: else the payee would lose what it holds. */
export function createVoucherGuard ({ chain, channels, till, clock, logger }: VoucherGuardComponents): Startable {
  const stopping = new AbortController()
  let working: Promise<void> = Promise.resolve()
  let unlisten = (): void => undefined
  let cancel = (): void => undefined

  const redeemDue = async (): Promise<void> => {
    const now = await chain.blockTime()
    const held = await till.list()
    for (const { payer, voucher, channel } of held) if (channel.nonce > voucher.nonce || channel.until < now) await till.forget(payer)
    const payers = held.filter(({ due, channel }) => due > 0 && (channel.isClosing || channel.until - now <= Math.min(MARGIN_SECONDS, channel.closeSeconds / 4))).map(({ payer }) => payer)
    if (payers.length === 0) return
    const receipts = await till.redeem(stopping.signal, payers)
    logger.info('voucher.redeemed', { payers, hashes: receipts.map(({ hash }) => hash) })
  }
  const look = async (): Promise<void> => {
    working = working.then(redeemDue).catch((error: unknown) => { if (!stopping.signal.aborted) logger.warn('voucher.redeem', { error: errorMessage(error) }) })
    await working
  }
  const schedule = (): void => { cancel = clock.after(LOOK_MS, () => { void look().finally(() => { if (!stopping.signal.aborted) schedule() }) }) }
  return {
    start: async () => {
      unlisten = chain.onEvent(async (event) => {
        if (event.contract !== 'vouchers' || event.args.payee !== chain.address) return
        channels.forget(event.args.payer as Address, chain.address)
        if (event.name === 'Closing') await look()
      })
      schedule()
      await Promise.resolve()
    },
    stop: async () => {
      stopping.abort(new Error('the node is stopping'))
      unlisten()
      cancel()
      await working
    }
  }
}
