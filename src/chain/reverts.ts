import { decodeErrorResult, type Hex } from 'viem'
import { ERRORS_ABI } from './abis.ts'
import { ChainError, ContractError } from './errors.ts'

/** A Solidity error by name, e.g. { error: 'LaneBusy', args: { provider, lane } }; `error` is 'unknown' when the data fits none of ours. */
export interface Revert { error: string, args: Readonly<Record<string, unknown>> }

/** Decodes revert data: custom errors of all our contracts, `Error(string)` and `Panic(uint256)`. Never throws. */
export function decodeRevert (data: Hex | undefined): Revert {
  if (data === undefined || data === '0x') return { error: 'unknown', args: {} }
  try {
    const { errorName, args, abiItem } = decodeErrorResult({ abi: ERRORS_ABI, data })
    const inputs = 'inputs' in abiItem ? abiItem.inputs : []
    return { error: errorName, args: Object.fromEntries(inputs.map((input, index) => [input.name ?? String(index), printable((args as readonly unknown[])[index])])) }
  } catch {
    return { error: 'unknown', args: { data: data.slice(0, 74) } }
  }
}

/** The ContractError CHAIN_REVERTED for the call `name`; `extra` joins its data (hash and gas of a transaction that was mined). */
export function revertError (name: string, data: Hex | undefined, extra: Record<string, unknown> = {}, cause?: unknown): ContractError {
  const revert = decodeRevert(data)
  const shown = Object.entries(revert.args).map(([key, value]) => `${key} ${String(value)}`).join(', ')
  return new ContractError('CHAIN_REVERTED', `${name} was refused: ${revert.error}${shown === '' ? '' : ` (${shown})`}`, { data: { name, ...revert, ...extra }, cause, hint: 'protocol/contracts.md says when a contract refuses with this error.' })
}

/** True for an RPC answer that says "execution reverted", as opposed to any other refusal. */
export function isRevert (error: unknown): error is ChainError {
  return error instanceof ChainError && error.code === 'CHAIN_RPC' && (error.data['rpcCode'] === 3 || error.data['rpcData'] !== undefined || /execution reverted/i.test(error.message))
}

function printable (value: unknown): unknown {
  if (typeof value !== 'bigint') return value
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value.toString()
}
