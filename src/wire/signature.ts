import { keccakBytes, keccakHex } from './keccak.ts'
import { secp256k1 } from './secp256k1.ts'
import type { Address, Hash, Signature } from './shapes.ts'

/** A claim: `signer` signed `digest`. The signature as bytes where they are at hand. */
export interface SignatureCheck { digest: Hash, signature: Signature | Uint8Array, signer: Address }

/** Half of the group's order, big-endian: s at most this is low. */
const HALF_ORDER = Buffer.from('7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0', 'hex')

/** Where recovered keys are written, and signatures without their parity, one after the other. */
const PUBLIC_KEY = new Uint8Array(65)
const COMPACT = new Uint8Array(64)
/** What of `PUBLIC_KEY` is hashed into an address: the point without its prefix. */
const POINT = PUBLIC_KEY.subarray(1)

/**
 * The address that signed `digest`, or undefined when the signature is not valid.
 * High s is refused, so a signature cannot be altered into another valid one.
 */
export function recoverSigner (digest: Hash, signature: Signature): Address | undefined {
  const bytes = Buffer.from(signature.slice(2), 'hex')
  return bytes.length === 64 ? recoverAddress(Buffer.from(digest.slice(2), 'hex'), bytes) : undefined
}

/** The same on bytes: 32 of the digest, 64 of the EIP-2098 signature. Leaves its arguments as they are. */
export function recoverAddress (digest: Uint8Array, signature: Uint8Array): Address | undefined {
  const key = recoverKey(digest, signature)
  return key === undefined ? undefined : publicKeyToAddress(key)
}

/** The uncompressed public key (65 bytes), good until the next call. */
function recoverKey (digest: Uint8Array, signature: Uint8Array): Uint8Array | undefined {
  if (signature.length !== COMPACT.length) return undefined
  COMPACT.set(signature)
  const recid = (COMPACT[32] as number) >> 7
  COMPACT[32] = (COMPACT[32] as number) & 0x7f
  if (HALF_ORDER.compare(COMPACT, 32, 64) < 0) return undefined
  try {
    return secp256k1.ecdsaRecover(COMPACT, recid, digest, false, PUBLIC_KEY)
  } catch {
    return undefined
  }
}

/** The address of an uncompressed public key (65 bytes). */
export function publicKeyToAddress (publicKey: Uint8Array): Address {
  return `0x${keccakHex(publicKey.subarray(1)).slice(-40)}`
}

/** Bytes of one claim in a packed list: digest, signature, signer. */
const CLAIM_BYTES = 32 + 64 + 20

/** Claims in one piece of memory, as threads hand them over. */
export function packClaims (claims: readonly SignatureCheck[]): Uint8Array<ArrayBuffer> {
  const packed = Buffer.from(new ArrayBuffer(claims.length * CLAIM_BYTES))
  claims.forEach(({ digest, signature, signer }, index) => {
    const at = index * CLAIM_BYTES
    packed.write(digest.slice(2), at, 'hex')
    if (typeof signature === 'string') packed.write(signature.slice(2), at + 32, 'hex')
    else packed.set(signature, at + 32)
    packed.write(signer.slice(2), at + 96, 'hex')
  })
  return packed
}

/** One byte per claim: 1 where it holds. */
export function verifyClaims (packed: Uint8Array): Uint8Array<ArrayBuffer> {
  const claims = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength)
  const verdicts = new Uint8Array(packed.length / CLAIM_BYTES)
  for (let index = 0; index < verdicts.length; index++) {
    const at = index * CLAIM_BYTES
    const key = recoverKey(packed.subarray(at, at + 32), packed.subarray(at + 32, at + 96))
    // The address is the last 20 of the hash's 32 bytes.
    verdicts[index] = key !== undefined && claims.compare(keccakBytes(POINT), 12, 32, at + 96, at + CLAIM_BYTES) === 0 ? 1 : 0
  }
  return verdicts
}
