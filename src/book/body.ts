import { encodeCbor } from '../wire/cbor.ts'
import { compileFields } from '../wire/cbor-walk.ts'
import { jobOfferShape, type JobOffer } from '../wire/job-offer.ts'
import { moduleRecordShape, type ModuleRecord } from '../wire/module-record.ts'
import { decodeBody, type RecordKind, type SignedRecord } from '../wire/record.ts'
import { resourceOfferShape, type ResourceOffer } from '../wire/resource-offer.ts'
import { parseShape } from '../wire/shapes.ts'
import { bodyShard, slotShard } from '../wire/shard.ts'
import { WireError } from '../wire/errors.ts'
import { BookError } from './errors.ts'
import { expiresAtMs } from './lifetime.ts'

/** Kinds whose body is a document of a shape. */
export interface Bodies { job: JobOffer, offer: ResourceOffer, module: ModuleRecord }
export type BodyKind = keyof Bodies

const SHAPES = { job: jobOfferShape, offer: resourceOfferShape, module: moduleRecordShape } as const

/** What admission looks at beyond the shape. */
const LOOKS = {
  job: compileFields(jobOfferShape, ['market', 'gpus', 'validUntil']),
  offer: compileFields(resourceOfferShape, ['market', 'gpus', 'validUntil']),
  module: compileFields(moduleRecordShape, [])
} as const

/** Whether records of this kind carry a document. */
export function isBodyKind (kind: RecordKind): kind is BodyKind {
  return Object.hasOwn(SHAPES, kind)
}

/** The document of a record. Throws WireError. */
export function readBody<K extends BodyKind> (record: SignedRecord & { readonly kind: K }): Bodies[K] {
  return decodeBody(SHAPES[record.kind] as (typeof SHAPES)[BodyKind], record) as Bodies[K]
}

/** Canonical bytes of a document. Throws WireError when it is not of the kind's shape. */
export function writeBody (kind: BodyKind, body: unknown): Uint8Array {
  return encodeCbor(parseShape(SHAPES[kind] as (typeof SHAPES)[BodyKind], body, `${kind} body`))
}

/**
 * Checks the body of any record but a proof: its shape, that an offer stands in the shard of its market and class, and that it
 * does not claim to be valid longer than its record lives. Throws WireError, BookError BOOK_SLOT.
 */
export function assertBody (record: SignedRecord): void {
  if (record.kind === 'cancel' || record.kind === 'equivocation') {
    if (record.kind === 'cancel' && record.body.length > 0) throw new WireError('WIRE_INVALID', 'a cancel has no body')
    return
  }
  const body: Partial<Pick<JobOffer, 'market' | 'gpus' | 'validUntil'>> = LOOKS[record.kind](record.body) ?? readBody(record as SignedRecord & { readonly kind: BodyKind })
  const { market, gpus, validUntil = 0 } = body
  const shard = market === undefined || gpus === undefined ? undefined : bodyShard({ market, gpus })
  if (shard !== undefined && shard !== slotShard(record.slot)) {
    throw new BookError('BOOK_SLOT', `slot ${record.slot} is of shard ${slotShard(record.slot)}, the ${record.kind} of shard ${shard}`, { data: { slot: record.slot, shard } })
  }
  if (validUntil > expiresAtMs(record)) {
    throw new WireError('WIRE_INVALID', 'validUntil lies behind the end of the record', { data: { validUntil, expiresAtMs: expiresAtMs(record) } })
  }
}
