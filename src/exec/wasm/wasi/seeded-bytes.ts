import { createCipheriv, createHash } from 'node:crypto'

/** Bytes made per step, so that a guest's large request needs no second large buffer. */
const STEP_BYTES = 65_536

/**
 * The guest's randomness: AES-256-CTR over zeros under SHA-256("lilynode/wasi-random/v1" || seed). The same seed gives
 * the same stream on every machine; it is no secret and guests are told so (protocol/execution.md).
 */
export function createSeededBytes (seed: Uint8Array): (target: Uint8Array) => void {
  const key = createHash('sha256').update('lilynode/wasi-random/v1').update(seed).digest()
  const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16))
  return (target) => {
    for (let start = 0; start < target.length; start += STEP_BYTES) {
      target.set(cipher.update(Buffer.alloc(Math.min(STEP_BYTES, target.length - start))), start)
    }
  }
}
