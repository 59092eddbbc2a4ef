import { concat, hexToNumber, keccak256, numberToHex, serializeTransaction, slice, type Hex, type TransactionSerializableEIP1559 } from 'viem'
import type { Signer } from '../identity/signer.ts'
import type { Hash, Signature } from '../wire/shapes.ts'

/** A signed EIP-1559 transaction: the bytes to broadcast and their hash. */
export interface SignedTransaction { raw: Hex, hash: Hash }

/** Signs locally with the node's native secp256k1 (0.1 ms); the key never goes to the chain's node. */
export function signTransaction (signer: Signer, transaction: Omit<TransactionSerializableEIP1559, 'type'>): SignedTransaction {
  const typed = { ...transaction, type: 'eip1559' as const }
  const { v, r, s } = toLegacySignature(signer.sign(keccak256(serializeTransaction(typed))))
  const raw = serializeTransaction(typed, { r, s, yParity: v - 27 })
  return { raw, hash: keccak256(raw) }
}

/** An EIP-2098 signature as the contracts' struct `Signature { r, vs }`. */
export function toContractSignature (signature: Signature): { r: Hash, vs: Hash } {
  return { r: slice(signature, 0, 32), vs: slice(signature, 32, 64) }
}

/** The same as v (27 or 28), r and s, for ERC-2612. */
export function toLegacySignature (signature: Signature): { v: number, r: Hash, s: Hash } {
  const top = hexToNumber(slice(signature, 32, 33))
  return { v: 27 + (top >> 7), r: slice(signature, 0, 32), s: `${numberToHex(top & 0x7f, { size: 1 })}${slice(signature, 33, 64).slice(2)}` }
}

/** The same as the 65 bytes that OpenZeppelin's SignatureChecker takes. */
export function toAccountSignature (signature: Signature): Hash {
  const { v, r, s } = toLegacySignature(signature)
  return concat([r, s, numberToHex(v, { size: 1 })])
}
