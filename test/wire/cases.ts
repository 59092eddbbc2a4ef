import fc from 'fast-check'
import type { z } from 'zod'
import { delegationShape } from '../../src/wire/delegation.ts'
import { jobOfferShape } from '../../src/wire/job-offer.ts'
import { moduleRecordShape } from '../../src/wire/module-record.ts'
import { resourceOfferShape } from '../../src/wire/resource-offer.ts'
import { delegate, jobBody, MODULE_BODY, offerBody, testSigner } from '../support/records.ts'

const alice = testSigner(1)
/** Documents with something in most of their fields, and their shapes. */
export const CASES: Array<[string, z.ZodType, Record<string, unknown>]> = [
  ['job', jobOfferShape, { ...jobBody({ mediators: [alice.address], gpus: [{ models: ['A100'], vramMiB: 1, shareBp: 5000 }], locality: ['eu'] }) }],
  ['replicated job', jobOfferShape, { ...jobBody({ verification: { strategy: 'compare', replicas: 3, quorum: 2, tolerancePpm: 5 } }) }],
  ['offer', resourceOfferShape, { ...offerBody({ creators: [alice.address], gpus: [{ model: 'A100', vramMiB: 1, shareBp: 5000, secondAsk: 1 }] }) }],
  ['module', moduleRecordShape, MODULE_BODY],
  ['delegation', delegationShape, { ...delegate(alice, testSigner(2).address) }]
]
/** Values at and around the edges of what fields hold. */
export const odd = fc.oneof(
  fc.constantFrom<unknown>(0, -1, 1, 7, 8, 16, 63, 64, 10_000, 10_001, 2 ** 48, 2 ** 53, 0.5, Number.NaN, '', 'none', 'audit', null, undefined, true, {}, [], [''], ['a'.repeat(64)], `0x${'0'.repeat(40)}`, `0x${'A'.repeat(40)}`, `0x${'0'.repeat(64)}`, new Uint8Array(3)),
  fc.string(), fc.integer(), fc.array(fc.string(), { maxLength: 70 })
)

/** Every path into a document. */
export function pathsOf (value: unknown, path: readonly string[] = []): Array<readonly string[]> {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [path]
  return [path, ...Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, [...path, key]))]
}

export function replaced (document: Record<string, unknown>, path: readonly string[], value: unknown): unknown {
  if (path.length === 0) return value
  const copy = structuredClone(document)
  let at = copy as Record<string, unknown>
  for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>
  const last = path.at(-1) as string
  if (value === undefined) delete at[last]
  else at[last] = value
  return copy
}
