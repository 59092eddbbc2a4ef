import { hexToBigInt, type Hex } from 'viem'
import type { Clock } from '../core/clock.ts'
import type { ChainClients } from './clients.ts'
import type { Head } from './head.ts'

/** EIP-1559 fees in wei per gas. */
export interface Fees { maxFeePerGas: bigint, maxPriorityFeePerGas: bigint }

export interface FeeSource {
  /** Fees that stay includable for about six full blocks. Costs a request only when the cached tip is old. */
  current: () => Promise<Fees>
}

/** Tips move slowly; a wrong one is mended by the replacement of stuck transactions. */
const TIP_MAX_AGE_MS = 30_000
/** anvil's minimum and a common floor elsewhere; used when the chain does not know eth_maxPriorityFeePerGas. */
const DEFAULT_TIP_WEI = 1_000_000_000n

/** Reads the base fee from the watched head, so that it costs nothing. */
export function createFeeSource (components: { clients: ChainClients, head: Head, clock: Clock }): FeeSource {
  const { clients, head, clock } = components
  let tip = DEFAULT_TIP_WEI
  let tipAtMs = -Infinity
  const refreshTip = async (): Promise<void> => {
    tip = hexToBigInt(await clients.request<Hex>('eth_maxPriorityFeePerGas', []).catch((): Hex => `0x${DEFAULT_TIP_WEI.toString(16)}`))
    tipAtMs = clock.now()
  }
  return {
    current: async () => {
      if (clock.now() - tipAtMs > TIP_MAX_AGE_MS) await refreshTip()
      const { baseFee } = await head.latest()
      return { maxFeePerGas: baseFee * 2n + tip, maxPriorityFeePerGas: tip }
    }
  }
}

/**
 * Fees for a replacement: what is right now, but at least an eighth and one wei above what stood there,
 * since nodes refuse replacements that raise less than a tenth.
 */
export function bumpFees (before: Fees, now: Fees): Fees {
  const raise = (old: bigint, wanted: bigint): bigint => { const least = old + old / 8n + 1n; return wanted > least ? wanted : least }
  return { maxFeePerGas: raise(before.maxFeePerGas, now.maxFeePerGas), maxPriorityFeePerGas: raise(before.maxPriorityFeePerGas, now.maxPriorityFeePerGas) }
}
