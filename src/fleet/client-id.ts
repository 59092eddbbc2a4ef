import { hexToBytes, keccak256 } from 'viem'
import type { Address } from '../wire/shapes.ts'

/** The Yjs client id of an operator: the first 48 bits of keccak256 of its address, which Yjs encodes as it is. */
export function clientIdOf (operator: Address): number {
  return Number.parseInt(keccak256(hexToBytes(operator)).slice(2, 14), 16)
}
