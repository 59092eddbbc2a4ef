import { pureJsCrypto } from '@libp2p/noise'
import t from 'tap'
import { keyedCrypto } from '../../src/mesh/noise-crypto.ts'

const KEY = new Uint8Array(32).map((_, at) => at)
const NONE = new Uint8Array(0)
const nonceOf = (count: number): Uint8Array => Uint8Array.of(0, 0, 0, 0, count, 0, 0, 0, 0, 0, 0, 0)
const flat = (bytes: { subarray: () => Uint8Array }): Uint8Array => new Uint8Array(bytes.subarray())

t.test('messages of any length are what noise itself would send, one after the other under one key', async (t) => {
  const crypto = keyedCrypto()
  for (const [count, length] of [0, 40, 1199, 1200, 1300, 65_519].entries()) {
    const plain = new Uint8Array(length).map((_, at) => at % 251)
    const sealed = flat(crypto.chaCha20Poly1305Encrypt(plain, nonceOf(count), NONE, KEY))
    t.same(Buffer.from(sealed), Buffer.from(flat(pureJsCrypto.chaCha20Poly1305Encrypt(plain, nonceOf(count), NONE, KEY))), `${length} bytes`)
    t.same(Buffer.from(flat(crypto.chaCha20Poly1305Decrypt(sealed.slice(), nonceOf(count), NONE, KEY))), Buffer.from(plain))
  }
})

t.test('what was altered, or sealed under another key or count, is refused', async (t) => {
  const crypto = keyedCrypto()
  for (const length of [100, 2000]) {
    const sealed = flat(crypto.chaCha20Poly1305Encrypt(new Uint8Array(length), nonceOf(1), NONE, KEY))
    const altered = sealed.slice()
    altered[3] = (altered[3] as number) ^ 1
    t.throws(() => crypto.chaCha20Poly1305Decrypt(altered, nonceOf(1), NONE, KEY))
    t.throws(() => crypto.chaCha20Poly1305Decrypt(sealed.slice(), nonceOf(2), NONE, KEY))
    t.throws(() => crypto.chaCha20Poly1305Decrypt(sealed.slice(), nonceOf(1), NONE, KEY.map((byte) => byte + 1)))
  }
})
