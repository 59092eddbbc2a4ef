import { readFile } from 'node:fs/promises'
import t from 'tap'
import { certificateVectors } from '../../scripts/vectors/certificate.ts'
import { matchingVectors } from '../../scripts/vectors/matching.ts'

for (const [name, value] of Object.entries({ ...matchingVectors(), ...certificateVectors() })) {
  t.test(`protocol/vectors/${name} holds what the code computes`, async (t) => {
    const stored: unknown = JSON.parse(await readFile(new URL(`../../protocol/vectors/${name}`, import.meta.url), 'utf8'))
    t.same(stored, JSON.parse(JSON.stringify(value)))
  })
}
