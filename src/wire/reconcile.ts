import { bytesToHex, hexToBytes } from 'viem'
import { z } from 'zod'
import { decodeCbor, encodeCbor } from './cbor.ts'
import { assertDomain } from './record-batch.ts'
import { parseShape, type Hash, uintShape } from './shapes.ts'
import { domainSeparator, type Domain } from './typed-data.ts'

/** protocol/reconcile.md. One round of set reconciliation, and pages of records, each a request and its answer. */

export const RECONCILE_PROTOCOL = '/lily/reconcile/1.0.0'
export const RECORDS_PROTOCOL = '/lily/records/1.0.0'

/** Largest negentropy frame. */
export const MAX_FRAME_BYTES = 60_000
/** Records in one page, and their bytes: what the records of a market take on the mean, and room for three of the largest. */
export const MAX_PAGE_RECORDS = 64
export const MAX_PAGE_BYTES = 49_152
/** A frame in its envelope: all that a stranger's round can make us hold. */
export const MAX_ROUND_BYTES = MAX_FRAME_BYTES + 64
/** A page in its envelope: below 64 KiB, as all that one request can make us hold. */
export const MAX_RECONCILE_BYTES = 50_000

const bytesShape = z.instanceof(Uint8Array)
const idShape = bytesShape.refine((bytes) => bytes.length === 32, 'expected 32 bytes')
const frameShape = bytesShape.refine((bytes) => bytes.length >= 1 && bytes.length <= MAX_FRAME_BYTES, 'frame size')

/** `bucket` is the time bucket both sides compare as of; see protocol/reconcile.md, "The closing bucket". */
export interface RoundQuery { bucket: number, frame: Uint8Array }
/** `count` is how many records the answering side compared. */
export interface RoundAnswer { count: number, frame: Uint8Array }
export type PageQuery = { type: 'fetch', ids: Hash[] } | { type: 'push', records: Uint8Array[] }

const queryShape = z.tuple([z.literal(1), bytesShape, uintShape, frameShape])
const answerShape = z.tuple([z.literal(1), uintShape, frameShape])
const pageQueryShape = z.union([
  z.tuple([z.literal(1), bytesShape, z.literal('fetch'), z.array(idShape).min(1).max(MAX_PAGE_RECORDS)]),
  z.tuple([z.literal(1), bytesShape, z.literal('push'), z.array(bytesShape).min(1).max(MAX_PAGE_RECORDS)])
])
const fetchedShape = z.tuple([z.literal(1), z.array(bytesShape).max(MAX_PAGE_RECORDS)])
const pushedShape = z.tuple([z.literal(1), z.array(idShape).max(MAX_PAGE_RECORDS)])

const separatorOf = (domain: Domain): Uint8Array => hexToBytes(domainSeparator(domain))

/** CBOR array [1, domain separator, bucket, frame]. */
export function encodeRoundQuery (domain: Domain, query: RoundQuery): Uint8Array {
  return encodeCbor([1, separatorOf(domain), query.bucket, query.frame])
}

/** Throws WireError. */
export function decodeRoundQuery (domain: Domain, bytes: Uint8Array): RoundQuery {
  const [, separator, bucket, frame] = parseShape(queryShape, decodeCbor(bytes, MAX_ROUND_BYTES), 'round query')
  assertDomain(domain, separator)
  return { bucket, frame }
}

/** CBOR array [1, count, frame]. */
export function encodeRoundAnswer (answer: RoundAnswer): Uint8Array {
  return encodeCbor([1, answer.count, answer.frame])
}

/** Throws WireError. */
export function decodeRoundAnswer (bytes: Uint8Array): RoundAnswer {
  const [, count, frame] = parseShape(answerShape, decodeCbor(bytes, MAX_ROUND_BYTES), 'round answer')
  return { count, frame }
}

/** CBOR array [1, domain separator, "fetch", [id, ...]] or [1, domain separator, "push", [record bytes, ...]]. */
export function encodePageQuery (domain: Domain, query: PageQuery): Uint8Array {
  return encodeCbor([1, separatorOf(domain), query.type, query.type === 'fetch' ? query.ids.map((id) => hexToBytes(id)) : query.records])
}

/** Throws WireError. */
export function decodePageQuery (domain: Domain, bytes: Uint8Array): PageQuery {
  const [, separator, type, items] = parseShape(pageQueryShape, decodeCbor(bytes, MAX_RECONCILE_BYTES), 'page query')
  assertDomain(domain, separator)
  return type === 'fetch' ? { type, ids: items.map((id) => bytesToHex(id)) } : { type, records: items }
}

/** Answer to fetch: CBOR array [1, [record bytes, ...]]: those of the wanted that are held, until the page is full. */
export function encodeFetched (records: readonly Uint8Array[]): Uint8Array {
  return encodeCbor([1, records])
}

/** Throws WireError. */
export function decodeFetched (bytes: Uint8Array): Uint8Array[] {
  return parseShape(fetchedShape, decodeCbor(bytes, MAX_RECONCILE_BYTES), 'page of records')[1]
}

/** Answer to push: CBOR array [1, [id, ...]]: the records that need not be sent again. */
export function encodePushed (ids: readonly Hash[]): Uint8Array {
  return encodeCbor([1, ids.map((id) => hexToBytes(id))])
}

/** Throws WireError. */
export function decodePushed (bytes: Uint8Array): Hash[] {
  return parseShape(pushedShape, decodeCbor(bytes, MAX_RECONCILE_BYTES), 'push answer')[1].map((id) => bytesToHex(id))
}
