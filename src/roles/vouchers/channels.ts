import type { Chain } from '../../chain/chain.ts'
import type { Channel } from '../../chain/vouchers/channel.ts'
import type { Clock } from '../../core/clock.ts'
import type { Address } from '../../wire/shapes.ts'

/** protocol/vouchers.md, Limits of a node: a stream asks for its channel at every voucher. */
const KEPT_MS = 30_000
/** Whoever brings a voucher names a payer: more than this are not remembered. */
const MAX_KEPT = 1024

/** Channels as they stand at finality. */
export interface Channels {
  /** At most `maxAgeMs` old, by default `KEPT_MS`. */
  of: (payer: Address, payee: Address, maxAgeMs?: number) => Promise<Channel>
  /** The next `of` asks the chain: something happened. */
  forget: (payer: Address, payee: Address) => void
}

export function createChannels ({ chain, clock }: { chain: Pick<Chain, 'channel' | 'caughtUp' | 'status'>, clock: Clock }): Channels {
  const kept = new Map<string, { atMs: number, channel: Promise<Channel> }>()
  const read = async (payer: Address, payee: Address): Promise<Channel> => {
    await chain.caughtUp()
    return await chain.channel(payer, payee, chain.status().eventsUpTo)
  }
  return {
    of: async (payer, payee, maxAgeMs = KEPT_MS) => {
      const key = payer + payee
      const known = kept.get(key)
      if (known !== undefined && clock.now() < known.atMs + maxAgeMs) return await known.channel
      const channel = read(payer, payee)
      // The oldest first: they are in the order in which they were read.
      kept.delete(key)
      for (const oldest of kept.keys()) {
        if (kept.size < MAX_KEPT) break
        kept.delete(oldest)
      }
      kept.set(key, { atMs: clock.now(), channel })
      channel.catch(() => { if (kept.get(key)?.channel === channel) kept.delete(key) })
      return await channel
    },
    forget: (payer, payee) => { kept.delete(payer + payee) }
  }
}
