import { createSecretKey, type KeyObject } from 'node:crypto'
import type { ICryptoInterface } from '@libp2p/noise'
import { defaultCrypto, nodeCrypto } from '@libp2p/noise/crypto'

/** Shorter messages are noise's own in WebAssembly: its threshold. */
const NATIVE_MIN_BYTES = 1200

/**
 * Noise's own ciphers, but that a connection's key is made an object of Node's once, not for every message: of 20 microseconds
 * for a message of 1.3 KB that is half.
 */
export function keyedCrypto (): ICryptoInterface {
  const keys = new WeakMap<Uint8Array, KeyObject>()
  /** Noise hands the key on to Node's `createCipheriv` as it is, which takes either. */
  const keyOf = (bytes: Uint8Array): Uint8Array => {
    let key = keys.get(bytes)
    if (key === undefined) {
      key = createSecretKey(bytes)
      keys.set(bytes, key)
    }
    return key as unknown as Uint8Array
  }
  return {
    ...defaultCrypto,
    chaCha20Poly1305Encrypt: (plaintext, nonce, ad, key) => plaintext.byteLength < NATIVE_MIN_BYTES
      ? defaultCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, ad, key)
      : nodeCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, ad, keyOf(key)),
    chaCha20Poly1305Decrypt: (ciphertext, nonce, ad, key, target) => ciphertext.byteLength < NATIVE_MIN_BYTES
      ? defaultCrypto.chaCha20Poly1305Decrypt(ciphertext, nonce, ad, key, target)
      : nodeCrypto.chaCha20Poly1305Decrypt(ciphertext, nonce, ad, keyOf(key))
  }
}
