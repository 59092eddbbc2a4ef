import { hexToNumber, type Hex } from 'viem'
import type { Hash } from '../wire/shapes.ts'
import type { ChainClients } from './clients.ts'
import type { Head } from './head.ts'

/** Where in the chain something stands. `blockTimestamp` comes with logs on newer nodes. */
export interface BlockPlace { blockHash: Hash, blockNumber: Hex, blockTimestamp?: Hex | undefined }

/** The unix seconds of a block, without a request where something known already tells it; undefined where who answers does not have the block, or no more. */
export async function blockTimeOf (components: { clients: ChainClients, head: Head }, place: BlockPlace): Promise<number | undefined> {
  if (place.blockTimestamp !== undefined) return hexToNumber(place.blockTimestamp)
  const head = await components.head.latest()
  if (head.hash === place.blockHash) return head.time
  const block = await components.clients.request<{ hash: Hash, timestamp: Hex } | null>('eth_getBlockByNumber', [place.blockNumber, false])
  return block?.hash === place.blockHash ? hexToNumber(block.timestamp) : undefined
}
