import t from 'tap'
import fc from 'fast-check'
import { decode, encode } from 'cborg'
import { decodeCbor, encodeCbor } from '../../src/wire/cbor.ts'
import { decodeFast, UNKNOWN } from '../../src/wire/cbor-fast.ts'
import { encodeWithStrings } from '../../src/wire/cbor-strings.ts'
import { WireError } from '../../src/wire/errors.ts'

const MAX = 65_536
const RUNS = 2000

/** Values that messages are made of. */
const value = fc.letrec<{ any: unknown }>((tie) => ({
  any: fc.oneof({ maxDepth: 5 },
    fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }), fc.boolean(), fc.constant(null), fc.string({ unit: 'grapheme' }),
    fc.uint8Array({ maxLength: 40 }), fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => !Object.is(n, -0)),
    fc.array(tie('any'), { maxLength: 6 }), fc.dictionary(fc.string(), tie('any'), { maxKeys: 6, noNullPrototype: true }))
})).any

/** The code that decoding throws; undefined when it decodes. Anything but a WireError fails the test by escaping. */
function codeOf (bytes: Uint8Array, max = MAX): string | undefined {
  try {
    decodeCbor(bytes, max)
    return undefined
  } catch (error) {
    if (error instanceof WireError) return error.code
    throw error
  }
}

t.test('what was encoded decodes to the same value and the same bytes', async (t) => {
  fc.assert(fc.property(value, (input) => {
    const bytes = encodeCbor(input)
    const output = decodeCbor(bytes, MAX)
    t.strictSame(encodeCbor(output), bytes)
  }), { numRuns: 300, seed: 1 })
  t.ok(true)
})

t.test('nothing but WireError escapes from random bytes', async (t) => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => { codeOf(bytes) }), { numRuns: RUNS, seed: 2 })
  t.pass('no other error')
})

t.test('nothing but WireError escapes from mutated and truncated messages, and what decodes is canonical', async (t) => {
  fc.assert(fc.property(value, fc.nat(), fc.nat(255), fc.nat(), (input, at, byte, cut) => {
    const bytes = encodeCbor(input)
    const mutated = Uint8Array.from(bytes)
    mutated[at % bytes.length] = byte
    for (const candidate of [mutated, bytes.subarray(0, cut % bytes.length), Buffer.concat([bytes, Uint8Array.of(byte)])]) {
      if (codeOf(candidate) === undefined) t.strictSame(encodeCbor(decodeCbor(candidate, MAX)), Uint8Array.from(candidate))
    }
  }), { numRuns: RUNS, seed: 3 })
  t.pass('no other error')
})

t.test('refuses what has another canonical form', async (t) => {
  const cases: Array<[string, number[], string]> = [
    ['a long form of 1', [0x18, 0x01], 'WIRE_MALFORMED'],
    ['unsorted keys', [0xa2, 0x61, 0x62, 0x01, 0x61, 0x61, 0x02], 'WIRE_NOT_CANONICAL'],
    ['repeated keys', [0xa2, 0x61, 0x61, 0x01, 0x61, 0x61, 0x02], 'WIRE_MALFORMED'],
    ['a float that is an integer', [0xf9, 0x3c, 0x00], 'WIRE_NOT_CANONICAL'],
    ['minus zero', [0xf9, 0x80, 0x00], 'WIRE_NOT_CANONICAL'],
    ['a double that fits a half', [0xfb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0], 'WIRE_NOT_CANONICAL'],
    ['NaN', [0xf9, 0x7e, 0x00], 'WIRE_MALFORMED'],
    ['infinity', [0xf9, 0x7c, 0x00], 'WIRE_MALFORMED'],
    ['undefined', [0xf7], 'WIRE_MALFORMED'],
    ['an unknown simple value', [0xf8, 0x20], 'WIRE_MALFORMED'],
    ['an indefinite array', [0x9f, 0x01, 0xff], 'WIRE_MALFORMED'],
    ['a lone break', [0xff], 'WIRE_MALFORMED'],
    ['a tag', [0xc0, 0x60], 'WIRE_MALFORMED'],
    ['an integer key', [0xa1, 0x01, 0x01], 'WIRE_MALFORMED'],
    ['text that is not UTF-8', [0x62, 0xc3, 0x28], 'WIRE_NOT_CANONICAL'],
    ['two values', [0x01, 0x02], 'WIRE_MALFORMED'],
    ['nothing', [], 'WIRE_MALFORMED']
  ]
  for (const [what, bytes, code] of cases) t.equal(codeOf(Uint8Array.from(bytes)), code, what)
})

t.test('a key named __proto__ stays a key and reaches no prototype', async (t) => {
  const bytes = Uint8Array.from([0xa1, 0x69, ...Buffer.from('__proto__'), 0xa1, 0x61, 0x78, 0x01])
  const decoded = decodeCbor(bytes, MAX) as Record<string, unknown>
  t.equal(Object.getPrototypeOf(decoded), Object.prototype)
  t.notOk('x' in decoded)
})

t.test('deep nesting is refused before it is decoded', async (t) => {
  const deep = (depth: number): Uint8Array => Uint8Array.from([...Array.from({ length: depth }, () => 0x81), 0x00])
  t.equal(codeOf(deep(16)), undefined)
  t.equal(codeOf(deep(17)), 'WIRE_MALFORMED')
  t.equal(codeOf(deep(60_000)), 'WIRE_MALFORMED')
  const maps = Uint8Array.from(Array.from({ length: 5000 }, () => [0xa1, 0x60]).flat())
  t.equal(codeOf(maps), 'WIRE_MALFORMED')
})

t.test('lengths beyond the input are refused before anything is allocated', async (t) => {
  for (const head of [0x5b, 0x7b, 0x9b, 0xbb]) {
    for (const length of [[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff]]) {
      t.equal(codeOf(Uint8Array.from([head, ...length])), 'WIRE_MALFORMED')
    }
  }
})

t.test('size is checked first', async (t) => {
  t.equal(codeOf(encodeCbor(new Uint8Array(100)), 101), 'WIRE_TOO_LARGE')
  t.equal(codeOf(encodeCbor(new Uint8Array(100)), 102), undefined)
})

t.test('decoded byte strings own their memory, also when the input is a slice of a Buffer', async (t) => {
  const message = Buffer.concat([Buffer.alloc(5000), encode([new Uint8Array([1, 2, 3])])]).subarray(5000)
  const [bytes] = decodeCbor(message, MAX) as [Uint8Array]
  t.equal(bytes.buffer.byteLength, 3)
  t.equal(encodeCbor([new Uint8Array(1000)]).buffer.byteLength, 1004, 'encoded bytes too')
  message.fill(0)
  t.strictSame([...bytes], [1, 2, 3])
})

t.test('messages without fractions go the short way, and both ways agree', async (t) => {
  const plain = fc.letrec<{ any: unknown }>((tie) => ({
    any: fc.oneof({ maxDepth: 5 }, fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }), fc.boolean(), fc.constant(null), fc.string({ unit: 'grapheme', maxLength: 300 }), fc.uint8Array({ maxLength: 300 }),
      fc.array(tie('any'), { maxLength: 30 }), fc.dictionary(fc.string({ unit: 'grapheme-ascii', maxLength: 300 }).filter((key) => key !== '__proto__'), tie('any'), { maxKeys: 30, noNullPrototype: true }))
  })).any
  fc.assert(fc.property(plain, (input) => {
    const bytes = encodeCbor(input)
    const fast = decodeFast(bytes)
    t.strictSame(fast, decode(bytes))
    // The same from the middle of other bytes, and nothing where the range ends sooner.
    const within = Uint8Array.from([...bytes, ...bytes, ...bytes])
    t.strictSame(decodeFast(within, false, bytes.length, 2 * bytes.length), fast)
    for (const missing of [1, 2, 3, bytes.length >> 1]) {
      if (missing > 0 && missing < bytes.length) t.equal(decodeFast(within, false, bytes.length, 2 * bytes.length - missing), UNKNOWN)
    }
  }), { numRuns: 300, seed: 4 })
})

t.test('lists of byte strings are written as the general encoder writes them, whatever their lengths', async (t) => {
  const length = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constantFrom(23, 24, 255, 256, 65_535, 65_536))
  fc.assert(fc.property(fc.array(length, { maxLength: 40 }), fc.array(fc.oneof(fc.nat(), fc.string(), fc.uint8Array({ maxLength: 40 })), { maxLength: 30 }), (lengths, items) => {
    const strings = lengths.map((bytes, index) => new Uint8Array(bytes).fill(index))
    t.ok(Buffer.from(encodeCbor([...items, strings])).equals(encodeWithStrings(items, strings)))
  }), { numRuns: 200, seed: 5 })
})
