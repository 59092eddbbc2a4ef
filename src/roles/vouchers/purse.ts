import type { Chain, ContractCall, TxReceipt } from '../../chain/chain.ts'
import { closeCall, reserveCall, startCloseCall } from '../../chain/vouchers/calls.ts'
import type { Channel } from '../../chain/vouchers/channel.ts'
import { toAccountSignature } from '../../chain/signing.ts'
import { inTurns } from '../../core/in-turns.ts'
import type { Signer } from '../../identity/signer.ts'
import type { Datastore } from '../../store/datastore.ts'
import type { Address } from '../../wire/shapes.ts'
import { channelEndDigest, reservationDigest, voucherDigest, type SignedVoucher } from '../../wire/voucher.ts'
import { RoleError } from '../errors.ts'
import type { Channels } from './channels.ts'
import { liveChannel } from './live.ts'

/** The payer's side of protocol/vouchers.md: opens channels and signs vouchers. Amounts are nLILY. */
export interface Purse {
  /** Opens the channel to `payee`, or raises it by `amount`, until `expiry` (unix seconds) at least. Throws RoleError VOUCHER_REFUSED where it closes or is over. */
  open: (payee: Address, amount: number, options: { expiry: number, closeSeconds: number, signal: AbortSignal }) => Promise<TxReceipt>
  /** Signs the next voucher: it pays `amount` more. Throws RoleError VOUCHER_NO_CHANNEL, VOUCHER_REFUSED or VOUCHER_BEYOND. */
  pay: (payee: Address, amount: number) => Promise<SignedVoucher>
  /** Starts to close, or takes the rest of a channel that is over. */
  close: (payee: Address, signal: AbortSignal) => Promise<TxReceipt>
  /** Channels that this account has paid into. */
  list: () => Promise<Array<{ payee: Address, signed: number, channel: Channel }>>
}
/** The highest sum signed in a channel. */
interface Signed { nonce: number, amount: number }

export interface PurseComponents {
  chain: Pick<Chain, 'address' | 'domain' | 'channel' | 'send' | 'blockTime'>
  signer: Signer
  channels: Channels
  datastore: Pick<Datastore, 'get' | 'put' | 'entries'>
}

export function createPurse ({ chain, signer, channels, datastore }: PurseComponents): Purse {
  const account = chain.address
  const prefix = `voucher/out/${chain.domain.chainId}/${chain.domain.market}/`
  const inTurn = inTurns()
  const signedOf = async (payee: Address): Promise<Signed> => {
    const bytes = await datastore.get(prefix + payee)
    return bytes === undefined ? { nonce: 0, amount: 0 } : JSON.parse(new TextDecoder().decode(bytes)) as Signed
  }
  const remember = async (payee: Address, signed: Signed): Promise<void> => {
    await datastore.put(prefix + payee, new TextEncoder().encode(JSON.stringify(signed)), { sync: true })
  }
  const sumIn = ({ nonce, paid }: Channel, signed: Signed): number => signed.nonce === nonce ? Math.max(signed.amount, paid) : paid

  return {
    open: async (payee, amount, { expiry, closeSeconds, signal }) => await inTurn(payee, async () => {
      const now = await chain.channel(account, payee)
      const isLive = now.until !== 0
      if (isLive) liveChannel(now, { payer: account, payee }, await chain.blockTime())
      const nonce = isLive ? now.nonce : now.nonce + 1
      // On disk first: a payer that loses its answer still knows whom it pays. What it signed stays: a re-org may bring that channel back.
      if ((await signedOf(payee)).nonce === 0) await remember(payee, { nonce, amount: 0 })
      const reservation = {
        payer: account, payee, signer: isLive ? now.signer : signer.address, nonce, amount: isLive ? now.reserved + amount : amount,
        expiry: Math.max(expiry, now.until), closeSeconds: isLive ? now.closeSeconds : closeSeconds
      }
      const receipt = await chain.send(reserveCall(reservation, toAccountSignature(signer.sign(reservationDigest(chain.domain, reservation)))), { name: 'reserve', signal })
      channels.forget(account, payee)
      return receipt
    }),
    pay: async (payee, amount) => await inTurn(payee, async () => {
      const channel = liveChannel(await channels.of(account, payee), { payer: account, payee }, await chain.blockTime())
      if (channel.signer !== signer.address) throw new RoleError('VOUCHER_REFUSED', `vouchers of the channel to ${payee} are signed by ${channel.signer}, not by this node`, { data: { reason: 'signature', payee, signer: channel.signer }, hint: 'Sign them where that key is, or close the channel and open another.' })
      const sum = sumIn(channel, await signedOf(payee)) + amount
      if (sum > channel.reserved) throw new RoleError('VOUCHER_BEYOND', `${sum} nLILY in all are more than the ${channel.reserved} that are reserved for ${payee}`, { data: { payee, sum, reserved: channel.reserved }, hint: 'Reserve more with "lilynode voucher open".' })
      const voucher = { payer: account, payee, nonce: channel.nonce, amount: sum }
      await remember(payee, { nonce: channel.nonce, amount: sum })
      return { ...voucher, signature: signer.sign(voucherDigest(chain.domain, voucher)) }
    }),
    close: async (payee, signal) => await inTurn(payee, async () => {
      const channel = await chain.channel(account, payee)
      if (channel.until === 0) throw new RoleError('VOUCHER_NO_CHANNEL', `there is no channel from this account to ${payee}`, { data: { payee }, hint: 'See "lilynode voucher ls".' })
      const id = { payer: account, payee, nonce: channel.nonce }
      const isOver = await chain.blockTime() > channel.until
      const startClose = (): ContractCall => startCloseCall(id, toAccountSignature(signer.sign(channelEndDigest(chain.domain, 'StartClose', id))))
      const receipt = await chain.send(isOver ? closeCall(id) : startClose(), { name: isOver ? 'close-channel' : 'start-close', signal })
      channels.forget(account, payee)
      return receipt
    }),
    list: async () => {
      const rows: Array<{ payee: Address, signed: number, channel: Channel }> = []
      for await (const [key] of datastore.entries(prefix)) {
        const payee = key.slice(prefix.length) as Address
        const channel = await chain.channel(account, payee)
        rows.push({ payee, channel, signed: sumIn(channel, await signedOf(payee)) })
      }
      return rows
    }
  }
}
