import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import fc from 'fast-check'
import { z } from 'zod'
import { decodeCbor, encodeCbor } from '../../src/wire/cbor.ts'
import { readHead, type Cursor } from '../../src/wire/cbor-head.ts'
import { compileFields } from '../../src/wire/cbor-walk.ts'
import { CASES, odd, pathsOf, replaced } from './cases.ts'

/** The long way: what the shape and canonical form take. */
function parsed (shape: z.ZodType, bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    return shape.safeParse(decodeCbor(bytes, 65_536)).data as Record<string, unknown> | undefined
  } catch {
    return undefined
  }
}

for (const [name, shape, document] of CASES) {
  const names = Object.keys(document)
  const read = compileFields(shape, names as never[])
  /** Looks at all of it and reads nothing. */
  const check = compileFields(shape, [])
  const bytes = encodeCbor(document)

  t.test(`the walk over a ${name} finds its fields, and in a changed one what decoding finds`, async (t) => {
    t.same(read(bytes), document)
    t.same(compileFields(shape, names.slice(1, 3) as never[])(bytes), Object.fromEntries(names.slice(1, 3).map((each) => [each, document[each]])))
    fc.assert(fc.property(fc.constantFrom(...pathsOf(document)), odd, (path, value) => {
      const changed = replaced(document, path, value)
      const encoded = encodeCbor(changed === undefined ? null : changed)
      const found = read(encoded)
      const expected = parsed(shape, encoded)
      // Text beyond ASCII alone is left to decoding.
      return found === undefined ? expected === undefined || /[^\0-\x7f]/.test(JSON.stringify(expected)) : isDeepStrictEqual(found, expected)
    }), { numRuns: 2000, seed: 1 })
  })

  t.test(`the walk over a ${name} takes no bytes that decoding refuses`, async () => {
    fc.assert(fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.nat(3), (at, byte, kind) => {
      const changed = kind === 0 ? bytes.slice(0, at) : Uint8Array.from(kind === 1 ? [...bytes.slice(0, at), byte, ...bytes.slice(at)] : bytes)
      if (kind > 1) changed[at] = byte
      const [found, document] = [read(changed), parsed(shape, changed)]
      return (found === undefined || isDeepStrictEqual(found, document)) && (check(changed) === undefined || document !== undefined)
    }), { numRuns: 3000, seed: 2 })
  })
}

const cursorAt = (bytes: Uint8Array): Cursor => ({ bytes, at: 0, end: bytes.length })

t.test('a head is read in its shortest form alone', async (t) => {
  for (const [hex, value] of [['17', 23], ['1818', 24], ['190100', 256], ['1a00010000', 65_536], ['1b0000000100000000', 2 ** 32], ['1b001fffffffffffff', Number.MAX_SAFE_INTEGER]] as const) {
    const cursor = cursorAt(Buffer.from(hex, 'hex'))
    t.equal(readHead(cursor, 0), value)
    t.equal(cursor.at, hex.length / 2)
    t.equal(readHead(cursorAt(Buffer.from(hex, 'hex').subarray(0, -1)), 0), -1, 'cut short')
    t.equal(readHead({ ...cursorAt(Buffer.from(hex, 'hex')), end: hex.length / 2 - 1 }, 0), -1, 'cut short within more bytes')
    t.equal(readHead(cursorAt(Buffer.from(hex, 'hex')), 3), -1, 'another major type')
  }
  for (const hex of ['1817', '1900ff', '1a0000ffff', '1b00000000ffffffff', '1b0020000000000000', '1c', '1f']) t.equal(readHead(cursorAt(Buffer.from(hex, 'hex')), 0), -1, hex)
})

t.test('what is no object of known fields is left to decoding', async (t) => {
  for (const shape of [z.string(), z.object({ a: z.number() }), z.strictObject({ a: z.date() })]) t.equal(compileFields(shape, [])(encodeCbor({ a: 1 })), undefined)
})
