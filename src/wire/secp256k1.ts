import type Secp256k1 from 'secp256k1'

/** The native library, else undefined. The package's default entry would fall back to JavaScript without a word. */
async function loadNative (): Promise<typeof Secp256k1 | undefined> {
  try {
    return (await import('secp256k1/bindings.js')).default
  } catch {
    return undefined
  }
}

const native = await loadNative()

/** False where the native library does not load: signatures then take some thirty times as long, and `doctor` warns. */
export const isNative = native !== undefined

/** The curve's functions, native or else in JavaScript. */
export const secp256k1: typeof Secp256k1 = native ?? (await import('secp256k1/elliptic.js')).default
