import { hexToBytes } from 'viem'
import { equals } from 'uint8arrays/equals'
import { z } from 'zod'
import { decodeCbor } from './cbor.ts'
import { encodeWithStrings } from './cbor-strings.ts'
import { WireError } from './errors.ts'
import { MAX_RECORD_BYTES } from './record.ts'
import { parseShape } from './shapes.ts'
import { domainSeparator, type Domain } from './typed-data.ts'

/** protocol/record.md, "Batches". Encoded records of one deployment in one gossip message. */

/** Records in one message. */
export const MAX_BATCH_RECORDS = 32
/** Bytes of one message; a sender fills it until the next record would not fit. */
export const MAX_BATCH_BYTES = 65_536

const batchShape = z.tuple([z.literal(1), z.instanceof(Uint8Array), z.array(z.instanceof(Uint8Array)).min(1).max(MAX_BATCH_RECORDS)])

/** CBOR array [1, domain separator, [record bytes, ...]]. */
export function encodeBatch (domain: Domain, records: readonly Uint8Array[]): Uint8Array {
  return encodeWithStrings([1, hexToBytes(domainSeparator(domain))], records)
}

/** Envelope bytes of a batch, most; a record adds its own bytes and at most 5. */
export const BATCH_OVERHEAD_BYTES = 48

/** The encoded records of a batch, views of `bytes`. Throws WireError; WIRE_DOMAIN when they belong to another deployment. */
export function decodeBatch (domain: Domain, bytes: Uint8Array): Uint8Array[] {
  const [, separator, records] = parseShape(batchShape, decodeCbor(bytes, MAX_BATCH_BYTES, true), 'record batch')
  assertDomain(domain, separator)
  const large = records.find((record) => record.byteLength > MAX_RECORD_BYTES)
  if (large !== undefined) throw new WireError('WIRE_TOO_LARGE', `record of ${large.byteLength} bytes, limit ${MAX_RECORD_BYTES}`, { data: { bytes: large.byteLength } })
  return records
}

/** Throws WireError WIRE_DOMAIN unless `separator` is the domain's own. */
export function assertDomain (domain: Domain, separator: Uint8Array): void {
  if (!equals(separator, hexToBytes(domainSeparator(domain)))) throw new WireError('WIRE_DOMAIN', 'the message belongs to another chain or deployment')
}
