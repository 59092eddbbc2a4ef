/** What of an RPC answer every node of a chain gives alike: fields beyond the standard, and those added later, are left out. */

type Fields = Readonly<Record<string, unknown>>
const pick = (value: unknown, names: readonly string[]): Fields | null =>
  value === null || typeof value !== 'object' ? null : Object.fromEntries(names.map((name) => [name, lowered((value as Fields)[name])]))
const lowered = (value: unknown): unknown => typeof value === 'string' ? value.toLowerCase() : Array.isArray(value) ? value.map(lowered) : value

/** A header's number, hash, parent, time and base fee. */
export function canonicalBlock (block: unknown): unknown {
  return pick(block, ['number', 'hash', 'parentHash', 'timestamp', 'baseFeePerGas'])
}

/** Logs without `blockTimestamp`, which not every node has. */
function canonicalLogs (logs: unknown): unknown {
  return Array.isArray(logs) ? logs.map((log) => pick(log, ['address', 'topics', 'data', 'blockHash', 'blockNumber', 'transactionHash', 'logIndex'])) : logs
}

function canonicalReceipt (receipt: unknown): unknown {
  const fields = pick(receipt, ['transactionHash', 'from', 'blockHash', 'blockNumber', 'gasUsed', 'effectiveGasPrice', 'status'])
  return fields === null ? null : { ...fields, logs: canonicalLogs((receipt as Fields)['logs']) }
}

/** A transaction without its signature and gas prices, which nodes spell differently. */
function canonicalTransaction (transaction: unknown): unknown {
  return pick(transaction, ['hash', 'from', 'to', 'input', 'blockHash'])
}

/** By method; anything else is compared as it is. */
export function canonicalAnswer (method: string): (result: unknown) => unknown {
  switch (method) {
    case 'eth_getBlockByNumber': return canonicalBlock
    case 'eth_getLogs': return canonicalLogs
    case 'eth_getTransactionReceipt': return canonicalReceipt
    case 'eth_getTransactionByHash': return canonicalTransaction
    default: return lowered
  }
}
