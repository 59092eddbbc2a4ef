import secp256k1 from 'secp256k1/bindings.js'
import { equals } from 'uint8arrays/equals'
import { hexToBytes, keccak256 } from 'viem'
import type { Address, Hash, Signature } from './shapes.ts'

/**
 * The address that signed `digest`, or undefined when the signature is not valid.
 * High s is refused, so a signature cannot be altered into another valid one.
 */
export function recoverSigner (digest: Hash, signature: Signature): Address | undefined {
  const bytes = hexToBytes(signature)
  const recid = (bytes[32] as number) >> 7
  bytes[32] = (bytes[32] as number) & 0x7f
  try {
    if (!equals(secp256k1.signatureNormalize(Uint8Array.from(bytes)), bytes)) return undefined
    const publicKey = secp256k1.ecdsaRecover(bytes, recid, hexToBytes(digest), false)
    return publicKeyToAddress(publicKey)
  } catch {
    return undefined
  }
}

/** The address of an uncompressed public key (65 bytes). */
export function publicKeyToAddress (publicKey: Uint8Array): Address {
  return `0x${keccak256(publicKey.subarray(1)).slice(-40)}`
}
