import { createCipheriv, createDecipheriv } from 'node:crypto'
import { FleetError } from './errors.ts'

const CIPHER = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** AES-256-GCM: nonce, ciphertext, tag. A nonce must never come twice under one key. */
export function seal (key: Uint8Array, plain: Uint8Array, options: { nonce: Uint8Array, data: Uint8Array }): Uint8Array {
  const cipher = createCipheriv(CIPHER, key, options.nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(options.data)
  return new Uint8Array(Buffer.concat([options.nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]))
}

/** What was sealed under this key with this data. Throws FleetError FLEET_SEAL on anything else. */
export function openSeal (key: Uint8Array, sealed: Uint8Array, data: Uint8Array): Uint8Array {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) throw new FleetError('FLEET_SEAL', 'a seal is shorter than its nonce and tag')
  const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
  decipher.setAAD(data)
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES))
  try {
    return new Uint8Array(Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES)), decipher.final()]))
  } catch (error) {
    throw new FleetError('FLEET_SEAL', 'a seal does not open: another key, or changed on the way', { cause: error })
  }
}
