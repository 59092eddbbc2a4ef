import fc from 'fast-check'
import t from 'tap'
import { decodeCertificate, encodeCertificate, MAX_CERTIFICATE_BYTES, MAX_CERTIFICATE_ENTRIES, roundPrice, type Certificate } from '../../src/wire/certificate.ts'

const anyPrice = fc.oneof({ arbitrary: fc.constant(0), weight: 2 }, fc.nat(300), fc.double({ min: 0, max: 2 ** 60, noNaN: true }), fc.integer({ min: 0, max: 60 }).map((at) => 2 ** at)).map(roundPrice)
const anyCertificate = fc.uniqueArray(fc.record({ key: fc.nat(2 ** 20 - 1), prices: fc.array(anyPrice, { minLength: 8, maxLength: 8 }) }), { selector: ({ key }) => key, maxLength: 60 })
  .map((entries): Certificate => ({ entries: entries.sort((left, right) => left.key - right.key) }))

t.test('certificates come back from their bytes', async () => {
  fc.assert(fc.property(anyCertificate, (certificate) => JSON.stringify(decodeCertificate(encodeCertificate(certificate))) === JSON.stringify(certificate)), { numRuns: 500, seed: 1 })
})

t.test('the largest certificate is within the limit of bytes', async (t) => {
  const entries = Array.from({ length: MAX_CERTIFICATE_ENTRIES }, (_, at) => ({ key: at * 64, prices: Array.from({ length: 8 }, (_price, row) => roundPrice(((at % 256) | 1) >> row & 1 ? 2 ** (at % 53) * 1.9 : 2 ** 52)) }))
  const bytes = encodeCertificate({ entries })
  t.ok(bytes.length <= MAX_CERTIFICATE_BYTES, `${bytes.length} bytes`)
  t.equal(decodeCertificate(bytes).entries.length, MAX_CERTIFICATE_ENTRIES)
  t.throws(() => encodeCertificate({ entries: [...entries, { key: 2 ** 20 - 1, prices: [] }] }), { code: 'WIRE_TOO_LARGE' })
})

t.test('a price is rounded to the nearest that can be written', async (t) => {
  for (const [price, written] of [[0.4, 0], [0.5, 1], [127, 127], [255, 255], [256, 256], [257, 258], [511, 512], [2 ** 40 - 1, 2 ** 40], [2 ** 60, 255 * 2 ** 45]] as const) t.equal(roundPrice(price), written)
  fc.assert(fc.property(fc.double({ min: 1, max: 2 ** 52, noNaN: true }), (price) => roundPrice(roundPrice(price)) === roundPrice(price) && Math.abs(roundPrice(price) - price) <= Math.max(0.5, price / 256)), { numRuns: 2000, seed: 2 })
})

t.test('any bytes decode to what they are written from, or are refused', async (t) => {
  let decoded = 0
  const bytes = encodeCertificate({ entries: [{ key: 3, prices: [0, 5, 0, 0, 0, 0, 0, 300] }, { key: 900, prices: [7, 5, 0, 0, 0, 0, 0, 0] }] })
  fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 40 }).map((some) => Uint8Array.of(2, ...some)), fc.tuple(fc.nat(bytes.length * 8 - 1), fc.nat(bytes.length * 8 - 1)).map((places) => {
    const changed = Uint8Array.from(bytes)
    for (const at of places) changed[at >> 3] = (changed[at >> 3] as number) ^ (128 >> (at & 7))
    return changed
  })), (some) => {
    try {
      const certificate = decodeCertificate(some)
      decoded++
      return certificate.entries.every(({ key, prices }, at) => key > (certificate.entries[at - 1]?.key ?? -1) && prices.length === 8 && prices.every((price) => Number.isSafeInteger(price) && price >= 0)) &&
        Buffer.compare(encodeCertificate(certificate), some) === 0
    } catch (error) {
      return ['WIRE_MALFORMED', 'WIRE_NOT_CANONICAL'].includes((error as { code: string }).code)
    }
  }), { numRuns: 5000, seed: 3 })
  t.ok(decoded > 50, `${decoded} were certificates`)
})

t.test('decoders of certificates refuse what they would not write', async (t) => {
  const bytes = encodeCertificate({ entries: [{ key: 3, prices: [0, 5, 0, 0, 0, 0, 0, 300 - 300 % 2] }] })
  t.throws(() => decodeCertificate(new Uint8Array(400_001)), { code: 'WIRE_TOO_LARGE' })
  t.throws(() => decodeCertificate(bytes.subarray(0, bytes.length - 1)), { code: 'WIRE_MALFORMED' })
  t.throws(() => decodeCertificate(Uint8Array.of(1, ...bytes.subarray(1))), { code: 'WIRE_MALFORMED' })
  t.throws(() => decodeCertificate(Uint8Array.of(...bytes, 0)), { code: 'WIRE_NOT_CANONICAL' })
  t.throws(() => decodeCertificate(Uint8Array.of(...bytes.subarray(0, -1), (bytes.at(-1) as number) | 1)), { code: 'WIRE_NOT_CANONICAL' })
  t.throws(() => encodeCertificate({ entries: [{ key: 3, prices: [257] }] }), { code: 'WIRE_INVALID' })
  t.throws(() => encodeCertificate({ entries: [{ key: 3, prices: [1] }, { key: 3, prices: [1] }] }), { code: 'WIRE_INVALID' })
})

t.test('bytes that say the same in another form are refused', async (t) => {
  // Version 2, one entry; then by hand: sets, rows, key, set, price.
  const text = (parts: ReadonlyArray<readonly [number, number]>): Uint8Array => {
    const bits = parts.map(([value, length]) => length === 0 ? '' : value.toString(2).padStart(length, '0')).join('')
    return Uint8Array.from((bits.padEnd(Math.ceil(bits.length / 8) * 8, '0').match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
  }
  const none = Array.from({ length: 7 }, () => [0, 9] as const)
  const entry = [[0b0, 1], [5, 20]] as const
  const plain = text([[2, 8], [1, 14], [1, 9], [128, 8], [2, 6], [0, 3], ...none, ...entry, [1, 1], [0b01, 2]])
  t.same(decodeCertificate(plain), { entries: [{ key: 5, prices: [5, 0, 0, 0, 0, 0, 0, 0] }] })
  const two = text([[2, 8], [2, 14], [2, 9], [64, 8], [128, 8], [2, 6], [0, 3], [1, 6], [0, 3], ...none.slice(1), [0, 1], [5, 19], [0b010, 3], [0b01, 2], [0, 1], [0, 19], [1, 1], [1, 1]])
  t.same(encodeCertificate({ entries: [{ key: 5, prices: [5, 0, 0, 0, 0, 0, 0, 0] }, { key: 6, prices: [0, 3, 0, 0, 0, 0, 0, 0] }] }), two, 'of equally frequent sets the smaller comes first')
  const refused = (name: string, parts: ReadonlyArray<readonly [number, number]>): void => { t.throws(() => decodeCertificate(text(parts)), { code: 'WIRE_NOT_CANONICAL' }, name) }
  refused('a set that nothing has', [[2, 8], [1, 14], [2, 9], [128, 8], [64, 8], [2, 6], [0, 3], ...none, ...entry, [1, 1], [0b01, 2]])
  refused('a lower lowest exponent', [[2, 8], [1, 14], [1, 9], [128, 8], [1, 6], [1, 3], ...none, ...entry, [1, 1], [1, 1], [0b01, 2]])
  refused('wider exponents', [[2, 8], [1, 14], [1, 9], [128, 8], [2, 6], [1, 3], ...none, ...entry, [1, 1], [0, 1], [0b01, 2]])
  refused('an exponent of a row without prices', [[2, 8], [1, 14], [1, 9], [128, 8], [2, 6], [0, 3], [9, 9], ...none.slice(1), ...entry, [1, 1], [0b01, 2]])
  refused('a price beyond 2^53', [[2, 8], [1, 14], [1, 9], [128, 8], [60, 6], [0, 3], ...none, ...entry, [1, 1], [0, 7]])
  refused('a set that is not listed', [[2, 8], [1, 14], [1, 9], [128, 8], [2, 6], [0, 3], ...none, ...entry, [0b010, 3], [0b01, 2]])
})
