import { bytesToHex, hexToBytes } from 'viem'
import { secp256k1 } from '../wire/secp256k1.ts'
import type { Address, Hash, Signature } from '../wire/shapes.ts'
import { publicKeyToAddress } from '../wire/signature.ts'

/** A secp256k1 key of this node: signs digests, never shows its private half again. */
export interface Signer {
  readonly address: Address
  /** Compact EIP-2098 signature of a 32-byte digest; deterministic (RFC 6979), low s. */
  sign: (digest: Hash) => Signature
}

/** A signer over a 32-byte private key. Throws when the key is not in the curve's range. */
export function createSigner (privateKey: Uint8Array): Signer {
  const key = Uint8Array.from(privateKey)
  const address = publicKeyToAddress(secp256k1.publicKeyCreate(key, false))
  return {
    address,
    sign: (digest) => {
      const { signature, recid } = secp256k1.ecdsaSign(hexToBytes(digest), key)
      const compact = Uint8Array.from(signature)
      if (recid === 1) compact[32] = (compact[32] as number) | 0x80
      return bytesToHex(compact)
    }
  }
}
