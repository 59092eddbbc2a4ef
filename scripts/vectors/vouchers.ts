import { hash } from 'node:crypto'
import type { Address, Hash } from '../../src/wire/shapes.ts'
import type { Domain } from '../../src/wire/typed-data.ts'
import { channelEndDigest, reservationDigest, voucherDigest } from '../../src/wire/voucher.ts'

const DOMAIN: Domain = { chainId: 31_337, market: '0x5fbdb2315678afecb367f032d93f642f64180aa3' }
const word = (name: string): Hash => `0x${hash('sha256', `lilynode vector ${name}`, 'hex')}`
const account = (name: string): Address => word(name).slice(0, 42) as Address

/** protocol/vectors/vouchers.json: what is signed about a channel. */
export function voucherVectors (): Record<string, unknown> {
  const channel = { payer: account('payer'), payee: account('payee'), nonce: 3 }
  const reservation = { ...channel, signer: account('hot key'), amount: 10_000_000_000, expiry: 1_700_086_400, closeSeconds: 3600 }
  return {
    'vouchers.json': {
      domain: DOMAIN,
      reservation: { ...reservation, digest: reservationDigest(DOMAIN, reservation) },
      vouchers: [1, 20_000_000, 9_007_199_254_740_991].map((amount) => ({ ...channel, amount, digest: voucherDigest(DOMAIN, { ...channel, amount }) })),
      startClose: { ...channel, digest: channelEndDigest(DOMAIN, 'StartClose', channel) },
      close: { ...channel, digest: channelEndDigest(DOMAIN, 'Close', channel) }
    }
  }
}
