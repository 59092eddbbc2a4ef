import { hexToBigInt, hexToNumber } from 'viem'
import { blockTimeOf } from './block-times.ts'
import type { ChainClients } from './clients.ts'
import type { RpcReceipt, TxReceipt } from './contract-call.ts'
import { decodeEvents, type EventSources } from './decode-events.ts'
import type { Head } from './head.ts'

/** A receipt of a transaction that succeeded, with the events of our contracts. */
export async function toTxReceipt (components: { clients: ChainClients, head: Head }, receipt: RpcReceipt & { from: TxReceipt['from'] }, { name, sources }: { name: string, sources: EventSources }): Promise<TxReceipt> {
  const gas = hexToNumber(receipt.gasUsed)
  const blockTime = await blockTimeOf(components, { blockHash: receipt.blockHash, blockNumber: receipt.blockNumber, blockTimestamp: receipt.logs[0]?.blockTimestamp }) ?? (await components.head.latest()).time
  const { from } = receipt
  return {
    name,
    hash: receipt.transactionHash,
    gas,
    feeWei: BigInt(gas) * hexToBigInt(receipt.effectiveGasPrice ?? '0x0'),
    from,
    blockNumber: hexToNumber(receipt.blockNumber),
    blockTime,
    status: 'success',
    events: decodeEvents(sources, receipt.logs, () => blockTime).map((event) => ({ ...event, from, gas }))
  }
}
