import type { z } from 'zod'
import { decodeCbor, encodeCbor } from './cbor.ts'
import { DecodedRecord } from './decoded-record.ts'
import type { Delegation } from './delegation.ts'
import { keccakBytes, keccakHex } from './keccak.ts'
import { type Address, type Hash, parseShape, type Signature } from './shapes.ts'
import { MAX_RECORD_BYTES, readEnvelope, RECORD_KINDS, type Envelope, type RecordKind } from './record-envelope.ts'
import { encodeType, hashStruct, separatorBytes, typedDigest, typeHashOf, type Domain } from './typed-data.ts'

/** protocol/record.md. A record is a signed, immutable, self-contained statement in its author's own slot. */

export { MAX_RECORD_BYTES, MAX_SLOT, RECORD_KINDS, type RecordKind } from './record-envelope.ts'

const RECORD_TYPE = [
  ['kind', 'uint8'], ['account', 'address'], ['operator', 'address'], ['slot', 'uint32'], ['seq', 'uint64'], ['bodyHash', 'bytes32']
] as const
const RECORD_TYPE_HASH = typeHashOf(encodeType('Record', RECORD_TYPE))

/** What is signed. `seq` is unix milliseconds, strictly increasing per register (account, operator, slot). */
export interface RecordHead { kind: RecordKind, account: Address, operator: Address, slot: number, seq: number, bodyHash: Hash }

/** A record as nodes hold it. `body` is the canonical CBOR of the kind's body; a cancel has an empty body. */
export interface SignedRecord extends RecordHead {
  /** The EIP-712 digest, without the signature: a re-encoded signature is the same record. */
  readonly id: Hash
  readonly body: Uint8Array
  readonly signature: Signature
  /** Present when operator != account. */
  readonly delegation?: Delegation
}

/** The record's id: the digest that its operator signs. */
export function recordId (domain: Domain, head: RecordHead): Hash {
  return typedDigest(domain, hashStruct(RECORD_TYPE_HASH, RECORD_TYPE, { ...head, kind: RECORD_KINDS[head.kind] }))
}

/** The words of a record's struct (EIP-712): the type's hash and six fields, right-aligned. */
const WORDS = Buffer.alloc(32 * 7)
WORDS.write(RECORD_TYPE_HASH.slice(2), 'hex')
/** 0x1901, the domain's separator, the struct's hash. */
const DIGEST = Buffer.from(`1901${'00'.repeat(64)}`, 'hex')

/** `recordId` from an encoding, for the hot path: the same words, written without hex. */
function idOfBytes (domain: Domain, bytes: Uint8Array, { kind, accountAt, operatorAt, slot, seq, bodyAt, bodyEnd }: Envelope): Hash {
  WORDS[63] = RECORD_KINDS[kind]
  for (let index = 0; index < 20; index++) {
    WORDS[76 + index] = bytes[accountAt + index] as number
    WORDS[108 + index] = bytes[operatorAt + index] as number
  }
  WORDS.writeUInt32BE(slot, 156)
  WORDS.writeUInt32BE(Math.floor(seq / 0x1_0000_0000), 184)
  WORDS.writeUInt32BE(seq % 0x1_0000_0000, 188)
  WORDS.set(keccakBytes(bytes.subarray(bodyAt, bodyEnd)), 192)
  DIGEST.set(separatorBytes(domain), 2)
  DIGEST.set(keccakBytes(WORDS), 34)
  return keccakHex(DIGEST)
}

/** keccak256 of the canonical body. */
export function bodyHash (body: Uint8Array): Hash {
  return keccakHex(body)
}

/** CBOR array [1, kind, account, operator, slot, seq, body, signature, delegation?]. */
export function encodeRecord (record: SignedRecord): Uint8Array {
  const items: unknown[] = [
    1, RECORD_KINDS[record.kind], fromHex(record.account), fromHex(record.operator), record.slot, record.seq, record.body, fromHex(record.signature)
  ]
  if (record.delegation !== undefined) items.push(record.delegation)
  return encodeCbor(items)
}

/**
 * Decodes and checks structure only; signature, time and body are `book/admission.ts`'s. The record is a view of `bytes`: who
 * keeps it passes bytes of its own, or moves it there. Throws WireError.
 */
export function decodeRecord (domain: Domain, bytes: Uint8Array): DecodedRecord {
  const envelope = readEnvelope(bytes)
  return new DecodedRecord(bytes, envelope, idOfBytes(domain, bytes, envelope))
}

/** A record whose id is known already, because what holds it vouches for it. Throws WireError. */
export function restoreRecord (bytes: Uint8Array, id: Hash): DecodedRecord {
  return new DecodedRecord(bytes, readEnvelope(bytes), id)
}

function fromHex (text: `0x${string}`): Uint8Array {
  return new Uint8Array(Buffer.from(text.slice(2), 'hex'))
}

/** Decodes a body of a known shape. Throws WireError. */
export function decodeBody<S extends z.ZodType> (shape: S, record: SignedRecord): z.output<S> {
  return parseShape(shape, decodeCbor(record.body, MAX_RECORD_BYTES), `${record.kind} body`)
}
