import { hexToBytes } from 'viem'
import { z } from 'zod'
import { decodeCbor, encodeCbor } from './cbor.ts'
import { encodeWithStrings } from './cbor-strings.ts'
import { assertDomain } from './record-batch.ts'
import { parseShape, type Hash, uintShape } from './shapes.ts'
import { COMMON_SHARD } from './shard.ts'
import { domainSeparator, type Domain } from './typed-data.ts'

/** protocol/reconcile.md. Rounds of set reconciliation over shards, and pages of records, each a request and its answer. */

export const RECONCILE_PROTOCOL = '/lily/reconcile/1.0.0'
export const RECORDS_PROTOCOL = '/lily/records/1.0.0'

/** Negentropy frames of one round, together. */
export const MAX_FRAME_BYTES = 60_000
/** Shards with a frame in one round: each has 7,500 bytes, more than any range takes. */
export const MAX_FRAMES = 8
/** Bytes of a shard's fingerprint. */
const DIGEST_BYTES = 16
/** Records in one page, and their bytes: what the records of a market take on the mean, and room for three of the largest. */
export const MAX_PAGE_RECORDS = 64
export const MAX_PAGE_BYTES = 49_152
/** Frames in their envelope: all that a stranger's round can make us hold. */
export const MAX_ROUND_BYTES = MAX_FRAME_BYTES + 128
/** A page in its envelope. */
export const MAX_RECONCILE_BYTES = 50_000
/** Queries that lie unread on one stream, each with 256 bytes beside it: a stranger's stream makes us hold less than 64 KiB. */
export const MAX_UNREAD_BYTES = 57_344
/** Records of one pushed page, all of them or one alone: with three under way the other side is not idle while an answer travels. */
export const MAX_PUSH_BYTES = 16_384

const bytesShape = z.instanceof(Uint8Array)
/** By hand: a joiner's pages name every record of the book. */
const idsShape = z.custom<Uint8Array[]>((ids) => Array.isArray(ids) && ids.length <= MAX_PAGE_RECORDS && ids.every((id) => id instanceof Uint8Array && id.length === 32), `expected up to ${MAX_PAGE_RECORDS} ids of 32 bytes`)
const shardShape = uintShape.max(COMMON_SHARD)
const digestShape = bytesShape.refine((bytes) => bytes.length === DIGEST_BYTES, 'expected 16 bytes')
const frameShape = bytesShape.refine((bytes) => bytes.length >= 1, 'an empty frame')
const framesShape = z.array(z.tuple([shardShape, frameShape])).min(1).max(MAX_FRAMES)
  .refine((frames) => frames.reduce((sum, [, frame]) => sum + frame.length, 0) <= MAX_FRAME_BYTES, 'frames size')
  .refine((frames) => isAscending(frames.map(([shard]) => shard)), 'shards ascend')
const shardsShape = z.array(shardShape).refine(isAscending, 'shards ascend')

/** A shard and its bytes, ascending by shard: a fingerprint of all that is held of it, or a negentropy frame. */
export type OfShards = ReadonlyArray<readonly [shard: number, bytes: Uint8Array]>
/**
 * `bucket` is the time bucket both sides compare as of; see protocol/reconcile.md, "The closing bucket". `digests` asks which shards
 * differ at all, `frames` how.
 */
export interface RoundQuery { type: 'digests' | 'frames', bucket: number, shards: OfShards }
/** Of the asked shards: those held alike, and those held differently. The answering side does not follow the rest. */
export interface DigestAnswer { equal: number[], differing: number[] }
export type PageQuery = { type: 'fetch', ids: Hash[] } | { type: 'push', records: Uint8Array[] }

const queryShape = z.union([
  z.tuple([z.literal(1), bytesShape, uintShape, z.literal('digests'), z.array(z.tuple([shardShape, digestShape])).min(1).refine((digests) => isAscending(digests.map(([shard]) => shard)), 'shards ascend')]),
  z.tuple([z.literal(1), bytesShape, uintShape, z.literal('frames'), framesShape])
])
const digestAnswerShape = z.tuple([z.literal(1), shardsShape, shardsShape])
const framesAnswerShape = z.tuple([z.literal(1), framesShape])
const pageQueryShape = z.union([
  z.tuple([z.literal(1), bytesShape, z.literal('fetch'), idsShape.refine((ids) => ids.length > 0, 'no ids')]),
  z.tuple([z.literal(1), bytesShape, z.literal('push'), z.array(bytesShape).min(1).max(MAX_PAGE_RECORDS)])
])
const fetchedShape = z.tuple([z.literal(1), z.array(bytesShape).max(MAX_PAGE_RECORDS)])
const pushedShape = z.tuple([z.literal(1), idsShape])

const separatorOf = (domain: Domain): Uint8Array => hexToBytes(domainSeparator(domain))

/** CBOR array [1, domain separator, bucket, "digests" or "frames", [[shard, bytes], ...]]. */
export function encodeRoundQuery (domain: Domain, query: RoundQuery): Uint8Array {
  return encodeCbor([1, separatorOf(domain), query.bucket, query.type, query.shards])
}

/** Throws WireError. */
export function decodeRoundQuery (domain: Domain, bytes: Uint8Array): RoundQuery {
  const [, separator, bucket, type, shards] = parseShape(queryShape, decodeCbor(bytes, MAX_ROUND_BYTES), 'round query')
  assertDomain(domain, separator)
  return { type, bucket, shards }
}

/** Answer to digests: CBOR array [1, [shard, ...] that are equal, [shard, ...] that differ]. */
export function encodeDigestAnswer ({ equal, differing }: DigestAnswer): Uint8Array {
  return encodeCbor([1, equal, differing])
}

/** Throws WireError. */
export function decodeDigestAnswer (bytes: Uint8Array): DigestAnswer {
  const [, equal, differing] = parseShape(digestAnswerShape, decodeCbor(bytes, MAX_ROUND_BYTES), 'digest answer')
  return { equal, differing }
}

/** Answer to frames: CBOR array [1, [[shard, frame], ...]]. */
export function encodeFramesAnswer (frames: OfShards): Uint8Array {
  return encodeCbor([1, frames])
}

/** Throws WireError. */
export function decodeFramesAnswer (bytes: Uint8Array): OfShards {
  return parseShape(framesAnswerShape, decodeCbor(bytes, MAX_ROUND_BYTES), 'frames answer')[1]
}

/** CBOR array [1, domain separator, "fetch", [id, ...]] or [1, domain separator, "push", [record bytes, ...]]. */
export function encodePageQuery (domain: Domain, query: PageQuery): Uint8Array {
  return encodeWithStrings([1, separatorOf(domain), query.type], query.type === 'fetch' ? query.ids.map(idToBytes) : query.records)
}

/** Pushed records are views of `bytes`. Throws WireError. */
export function decodePageQuery (domain: Domain, bytes: Uint8Array): PageQuery {
  const [, separator, type, items] = parseShape(pageQueryShape, decodeCbor(bytes, MAX_RECONCILE_BYTES, true), 'page query')
  assertDomain(domain, separator)
  return type === 'fetch' ? { type, ids: items.map(bytesToId) } : { type, records: items }
}

/** Answer to fetch: CBOR array [1, [record bytes, ...]]: those of the wanted that are held, until the page is full. */
export function encodeFetched (records: readonly Uint8Array[]): Uint8Array {
  return encodeWithStrings([1], records)
}

/** Records are views of `bytes`. Throws WireError. */
export function decodeFetched (bytes: Uint8Array): Uint8Array[] {
  return parseShape(fetchedShape, decodeCbor(bytes, MAX_RECONCILE_BYTES, true), 'page of records')[1]
}

/** Answer to push: CBOR array [1, [id, ...]]: the records that need not be sent again. */
export function encodePushed (ids: readonly Hash[]): Uint8Array {
  return encodeCbor([1, ids.map(idToBytes)])
}

/** Throws WireError. */
export function decodePushed (bytes: Uint8Array): Hash[] {
  return parseShape(pushedShape, decodeCbor(bytes, MAX_RECONCILE_BYTES), 'push answer')[1].map(bytesToId)
}

function idToBytes (id: Hash): Uint8Array {
  return Buffer.from(id.slice(2), 'hex')
}

function bytesToId (bytes: Uint8Array): Hash {
  return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`
}

function isAscending (shards: readonly number[]): boolean {
  return shards.every((shard, index) => index === 0 || shard > (shards[index - 1] as number))
}
