import t from 'tap'
import { addressText } from '../../src/wire/addresses.ts'

t.test('addresses that end alike are told apart, and one address has one text', async (t) => {
  const one = new Uint8Array(20).fill(1)
  const other = one.with(0, 2)
  const texts = [one, other, one, other].map((bytes) => addressText(bytes))
  t.same(texts, [one, other, one, other].map((bytes) => `0x${Buffer.from(bytes).toString('hex')}`))
})

t.test('what is remembered does not follow the memory that it came in', async (t) => {
  const bytes = new Uint8Array(20).fill(3)
  const before = addressText(bytes)
  bytes[0] = 4
  t.not(addressText(bytes), before)
  t.equal(addressText(new Uint8Array(20).fill(3)), before)
})
