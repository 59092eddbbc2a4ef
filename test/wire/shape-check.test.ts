import t from 'tap'
import fc from 'fast-check'
import { z } from 'zod'
import { compileShape } from '../../src/wire/shape-check.ts'
import { CASES, odd, pathsOf, replaced } from './cases.ts'

for (const [name, shape, document] of CASES) {
  t.test(`the predicate of a ${name} takes what its shape takes, and nothing else`, async (t) => {
    const check = compileShape(shape)
    if (check === undefined) return t.fail('not compiled')
    t.equal(check(document), true)
    t.equal(check({ ...document, more: 1 }), false)
    fc.assert(fc.property(fc.constantFrom(...pathsOf(document)), odd, (path, value) => {
      const changed = replaced(document, path, value)
      return check(changed) === shape.safeParse(changed).success
    }), { numRuns: 3000, seed: 1 })
  })
}

t.test('a shape with what is not known is left to zod', async (t) => {
  for (const shape of [z.string().transform((text) => text.length), z.object({ a: z.number() }), z.strictObject({ a: z.date() }), z.number().multipleOf(3), z.string().email(), z.array(z.string()).refine(() => false), z.strictObject({ a: z.string().optional() })]) {
    t.equal(compileShape(shape), undefined)
  }
})
