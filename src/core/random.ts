import { randomBytes, randomInt } from 'node:crypto'

/** Where a part takes randomness from: the system's, or a seeded stream in tests and benchmarks. */
export interface Random {
  /** `length` bytes. */
  bytes: (length: number) => Uint8Array
  /** An integer in [0, bound). */
  below: (bound: number) => number
}

/** Cryptographic randomness of the operating system. */
export function createSystemRandom (): Random {
  return {
    bytes: (length) => new Uint8Array(randomBytes(length)),
    below: (bound) => randomInt(bound)
  }
}

/** A reproducible stream (mulberry32); never for keys or salts that matter. */
export function createSeededRandom (seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    bytes: (length) => Uint8Array.from({ length }, () => Math.floor(next() * 256)),
    below: (bound) => Math.floor(next() * bound)
  }
}
