import { equals } from 'uint8arrays/equals'
import { decodeCbor } from './cbor.ts'
import { encodeWithStrings } from './cbor-strings.ts'
import { WireError } from './errors.ts'
import { MAX_RECORD_BYTES } from './record.ts'
import { separatorBytes, type Domain } from './typed-data.ts'

/** protocol/record.md, "Batches". Encoded records of one deployment in one gossip message. */

/** Records in one message. */
export const MAX_BATCH_RECORDS = 32
/** Bytes of one message; a sender fills it until the next record would not fit. */
export const MAX_BATCH_BYTES = 65_536

/** CBOR array [1, domain separator, [record bytes, ...]]. */
export function encodeBatch (domain: Domain, records: readonly Uint8Array[]): Uint8Array {
  return encodeWithStrings([1, separatorBytes(domain)], records)
}

/** Envelope bytes of a batch, most; a record adds its own bytes and at most 5. */
export const BATCH_OVERHEAD_BYTES = 48

/** The encoded records of a batch, views of `bytes`. Throws WireError; WIRE_DOMAIN when they belong to another deployment. */
export function decodeBatch (domain: Domain, bytes: Uint8Array): Uint8Array[] {
  const { separator, records } = readBatch(decodeCbor(bytes, MAX_BATCH_BYTES, true))
  assertDomain(domain, separator)
  const large = records.find((record) => record.byteLength > MAX_RECORD_BYTES)
  if (large !== undefined) throw new WireError('WIRE_TOO_LARGE', `record of ${large.byteLength} bytes, limit ${MAX_RECORD_BYTES}`, { data: { bytes: large.byteLength } })
  return records
}

/** By hand, as `readEnvelope`: every message of every stranger comes here. */
function readBatch (items: unknown): { separator: Uint8Array, records: Uint8Array[] } {
  if (!Array.isArray(items) || items.length !== 3 || items[0] !== 1) throw invalid('[1, domain separator, records] is expected')
  const [, separator, records] = items as unknown[]
  if (!(separator instanceof Uint8Array)) throw invalid('the domain separator is a byte string')
  if (!Array.isArray(records) || records.length < 1 || records.length > MAX_BATCH_RECORDS) throw invalid(`1 to ${MAX_BATCH_RECORDS} records are expected`)
  if (!records.every((record) => record instanceof Uint8Array)) throw invalid('a record is a byte string')
  return { separator, records }
}

function invalid (what: string): WireError {
  return new WireError('WIRE_INVALID', `record batch: ${what}`)
}

/** Throws WireError WIRE_DOMAIN unless `separator` is the domain's own. */
export function assertDomain (domain: Domain, separator: Uint8Array): void {
  if (!equals(separator, separatorBytes(domain))) throw new WireError('WIRE_DOMAIN', 'the message belongs to another chain or deployment')
}
