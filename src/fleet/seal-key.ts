import { createPrivateKey, createPublicKey, diffieHellman, hkdfSync } from 'node:crypto'
import { bytesToHex, concat, hexToBytes, keccak256 } from 'viem'
import type { Signer } from '../identity/signer.ts'
import type { Hash } from '../wire/shapes.ts'

/** An X25519 key: what others seal for us with, and the secret that each seal is opened by. */
export interface SealKey {
  readonly publicKey: Hash
  /** 32 bytes that only the holders of the two private keys can compute. Throws on a key that is no point of the curve's large group. */
  agree: (other: Hash, salt: Uint8Array, info: string) => Uint8Array
}

/** DER heads of a raw X25519 key (RFC 8410). */
const PRIVATE_HEAD = Buffer.from('302e020100300506032b656e04220420', 'hex')
const PUBLIC_HEAD = Buffer.from('302a300506032b656e032100', 'hex')

/** A key over a 32-byte secret. */
export function createSealKey (secret: Uint8Array): SealKey {
  const privateKey = createPrivateKey({ key: Buffer.concat([PRIVATE_HEAD, secret]), format: 'der', type: 'pkcs8' })
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  return {
    publicKey: bytesToHex(spki.subarray(PUBLIC_HEAD.length)),
    agree: (other, salt, info) => {
      const publicKey = createPublicKey({ key: Buffer.concat([PUBLIC_HEAD, hexToBytes(other)]), format: 'der', type: 'spki' })
      return new Uint8Array(hkdfSync('sha256', diffieHellman({ privateKey, publicKey }), salt, info, 32))
    }
  }
}

/** The seal key of an operator, from a signature that nobody else sees: there is no second secret to keep. */
export function sealKeyOf (signer: Pick<Signer, 'sign'>): SealKey {
  return createSealKey(hexToBytes(keccak256(signer.sign(keccak256(new TextEncoder().encode('lilynode/seal-key/1'))))))
}

/** Both public keys, which salt what is derived from them. */
export function pairSalt (ephemeral: Hash, sealKey: Hash): Uint8Array {
  return hexToBytes(concat([ephemeral, sealKey]))
}
