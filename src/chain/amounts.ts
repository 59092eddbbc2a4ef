import { ChainError } from './errors.ts'

/** A contract's uint64 (nLILY, seconds, counts) as the safe integer that the rest of the node computes with. Throws ChainError CHAIN_AMOUNT_RANGE. */
export function toAmount (value: bigint): number {
  if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new ChainError('CHAIN_AMOUNT_RANGE', `${value} is outside the amounts this node computes with (2^53 - 1 nLILY)`, { data: { value } })
  }
  return Number(value)
}

/** The way back. Throws ChainError CHAIN_AMOUNT_RANGE for anything but a safe non-negative integer. */
export function fromAmount (value: number): bigint {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new ChainError('CHAIN_AMOUNT_RANGE', `${value} is not an amount: a whole number of nLILY from 0 to 2^53 - 1`, { data: { value } })
  }
  return BigInt(value)
}
