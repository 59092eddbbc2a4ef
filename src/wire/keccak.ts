import hashWasm from 'hash-wasm/dist/keccak.umd.min.js'
import type { Hash } from './shapes.ts'

/**
 * keccak256 for the hot path of records: compiled to WebAssembly it takes a fifteenth of viem's time (the same hash in
 * JavaScript), which would be half of admission. Node's own crypto knows SHA-3, not Keccak.
 */
const hasher = await hashWasm.createKeccak(256)

/** 32 bytes. */
export function keccakBytes (bytes: Uint8Array): Uint8Array {
  return hasher.init().update(bytes).digest('binary')
}

const DIGITS = Buffer.from('0123456789abcdef')
const TEXT = Buffer.alloc(2 + 2 * 32, '0x')

/** As 0x hex, in one piece: what is joined from two is put together when it is first looked up. */
export function keccakHex (bytes: Uint8Array): Hash {
  const hash = keccakBytes(bytes)
  for (let index = 0; index < 32; index++) {
    const byte = hash[index] as number
    TEXT[2 + 2 * index] = DIGITS[byte >> 4] as number
    TEXT[3 + 2 * index] = DIGITS[byte & 15] as number
  }
  return TEXT.toString('latin1') as Hash
}
