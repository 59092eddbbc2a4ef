import type { Chain, TxReceipt } from '../../chain/chain.ts'
import type { Channel } from '../../chain/vouchers/channel.ts'
import type { Clock } from '../../core/clock.ts'
import { inTurns } from '../../core/in-turns.ts'
import type { Signer } from '../../identity/signer.ts'
import type { Datastore } from '../../store/datastore.ts'
import type { Address } from '../../wire/shapes.ts'
import { parseShape } from '../../wire/shapes.ts'
import { recoverSigner } from '../../wire/signature.ts'
import { signedVoucherShape, voucherDigest, type SignedVoucher } from '../../wire/voucher.ts'
import { RoleError } from '../errors.ts'
import type { Channels } from './channels.ts'
import { createEnding } from './ending.ts'
import { liveChannel, refusal } from './live.ts'
import { createRedeeming } from './redeeming.ts'

/** What a voucher that was taken is worth, nLILY: more than before, in all, and what the channel holds beyond it. */
export interface Taken { payer: Address, added: number, total: number, left: number }
/** What is held of a payer; `due`: what it would pay at present, nLILY. */
export interface Held { payer: Address, voucher: SignedVoucher, channel: Channel, due: number }

/** The payee's side of protocol/vouchers.md: keeps the highest voucher of each payer and redeems it. */
export interface Till {
  /** Keeps a voucher; it is on disk when this resolves. Throws WireError WIRE_INVALID, RoleError VOUCHER_NO_CHANNEL, VOUCHER_REFUSED or VOUCHER_BEYOND. */
  take: (voucher: unknown) => Promise<Taken>
  /** Redeems what is due of these payers, of all by default. Throws RoleError VOUCHER_NOTHING where nothing is. */
  redeem: (signal: AbortSignal, payers?: readonly Address[]) => Promise<TxReceipt[]>
  /** Redeems what is due and gives the rest back; from then on it takes no voucher of that channel. */
  close: (payer: Address, signal: AbortSignal) => Promise<TxReceipt[]>
  list: () => Promise<Held[]>
  /** Forgets what is held of this payer if its channel is over at finality: it pays nothing any more. */
  forget: (payer: Address) => Promise<void>
}
export interface TillComponents {
  chain: Pick<Chain, 'address' | 'domain' | 'channel' | 'send' | 'blockTime'>
  signer: Signer
  channels: Channels
  datastore: Pick<Datastore, 'get' | 'put' | 'delete' | 'entries'>
  clock: Clock
}
export interface TillOptions { minCloseSeconds: number }

const RECHECK_MS = 1000

export function createTill (components: TillComponents, { minCloseSeconds }: TillOptions): Till {
  const { chain, channels, datastore } = components
  const payee = chain.address
  const redeemAll = createRedeeming(components)
  const end = createEnding(components)
  const prefix = `voucher/in/${chain.domain.chainId}/${chain.domain.market}/`
  const inTurn = inTurns()
  /** Channels that this node closes, by payer: the chain at finality still shows them open for a while. */
  const closed = new Map<Address, number>()
  const heldOf = async (payer: Address): Promise<SignedVoucher | undefined> => {
    const bytes = await datastore.get(prefix + payer)
    return bytes === undefined ? undefined : JSON.parse(new TextDecoder().decode(bytes)) as SignedVoucher
  }
  const isOver = (voucher: SignedVoucher, channel: Channel, now: number): boolean => channel.nonce > voucher.nonce || channel.until < now
  const dueIn = (voucher: SignedVoucher, channel: Channel, now: number): number =>
    isOver(voucher, channel, now) || channel.nonce !== voucher.nonce ? 0 : Math.max(0, Math.min(voucher.amount, channel.reserved) - channel.paid)
  const list = async (): Promise<Held[]> => {
    const held: Held[] = []
    const now = await chain.blockTime()
    for await (const [, bytes] of datastore.entries(prefix)) {
      const voucher = JSON.parse(new TextDecoder().decode(bytes)) as SignedVoucher
      const channel = await chain.channel(voucher.payer, payee)
      held.push({ payer: voucher.payer, voucher, channel, due: dueIn(voucher, channel, now) })
    }
    return held
  }
  const check = (voucher: SignedVoucher, channel: Channel, now: number): void => {
    const { payer, nonce, amount, signature } = voucher
    if (voucher.payee !== payee) throw refusal('payee', `the voucher pays ${voucher.payee}, not this account`, { payee: voucher.payee, account: payee })
    liveChannel(channel, { payer, payee }, now)
    if (closed.get(payer) === nonce) throw refusal('closing', `this node closes the channel from ${payer}`, { payer, payee, nonce })
    if (nonce !== channel.nonce) throw refusal('nonce', `the voucher is of channel ${nonce}, the pair has ${channel.nonce}`, { nonce, expected: channel.nonce })
    if (channel.closeSeconds < minCloseSeconds) throw refusal('close-seconds', `the payer can close within ${channel.closeSeconds} s, this node asks for ${minCloseSeconds}`, { closeSeconds: channel.closeSeconds, least: minCloseSeconds })
    if (channel.until < now + channel.closeSeconds) throw refusal('expiry', `the channel ends in ${channel.until - now} s`, { until: channel.until, least: now + channel.closeSeconds })
    if (amount > channel.reserved) throw new RoleError('VOUCHER_BEYOND', `the voucher says ${amount} nLILY, ${channel.reserved} are reserved`, { data: { amount, reserved: channel.reserved }, hint: 'The payer reserves more with "lilynode voucher open".' })
    if (recoverSigner(voucherDigest(chain.domain, voucher), signature) !== channel.signer) throw refusal('signature', `the voucher is not signed by ${channel.signer}`, { signer: channel.signer })
  }
  /** What was known of the channel may have changed in the payer's favour: then the chain is asked once more, but not at every bad voucher. */
  const checked = async (voucher: SignedVoucher): Promise<Channel> => {
    const now = await chain.blockTime()
    try {
      const known = await channels.of(voucher.payer, payee)
      check(voucher, known, now)
      return known
    } catch {
      const fresh = await channels.of(voucher.payer, payee, RECHECK_MS)
      check(voucher, fresh, now)
      return fresh
    }
  }

  return {
    take: async (given) => {
      const voucher = parseShape(signedVoucherShape, given, 'voucher')
      const { payer } = voucher
      return await inTurn(payer, async () => {
        const channel = await checked(voucher)
        const before = await heldOf(payer)
        const known = before?.nonce === voucher.nonce ? Math.max(before.amount, channel.paid) : channel.paid
        const added = Math.max(0, voucher.amount - known)
        if (added > 0) await datastore.put(prefix + payer, new TextEncoder().encode(JSON.stringify(voucher)), { sync: true })
        return { payer, added, total: known + added, left: channel.reserved - known - added }
      })
    },
    redeem: async (signal, payers) => await redeemAll((await list()).filter(({ payer, due }) => due > 0 && (payers?.includes(payer) ?? true)), signal),
    close: async (payer, signal) => await inTurn(payer, async () => {
      const [held, channel] = [await heldOf(payer), await chain.channel(payer, payee)]
      if (channel.until === 0) throw new RoleError('VOUCHER_NO_CHANNEL', `there is no channel from ${payer} to this account`, { data: { payer }, hint: 'See "lilynode voucher ls".' })
      const { nonce } = channel
      closed.set(payer, nonce)
      try {
        return await end({ payer, payee, nonce }, held === undefined || dueIn(held, channel, await chain.blockTime()) === 0 ? undefined : held, signal)
      } catch (error) {
        // Aborted, it may still be on its way to the chain.
        if (!signal.aborted) closed.delete(payer)
        throw error
      } finally {
        channels.forget(payer, payee)
      }
    }),
    list,
    forget: async (payer) => await inTurn(payer, async () => {
      const held = await heldOf(payer)
      if (held !== undefined && isOver(held, await channels.of(payer, payee, 0), await chain.blockTime())) await datastore.delete(prefix + payer)
    })
  }
}
