import type { z } from 'zod'
import { decodeCbor, encodeCbor } from './cbor.ts'
import { decodeFast } from './cbor-fast.ts'
import { DecodedRecord, type Envelope } from './decoded-record.ts'
import { delegationShape, type Delegation } from './delegation.ts'
import { WireError } from './errors.ts'
import { keccakBytes, keccakHex } from './keccak.ts'
import { type Address, type Hash, parseShape, type Signature } from './shapes.ts'
import { domainSeparator, encodeType, hashStruct, typedDigest, typeHashOf, type Domain } from './typed-data.ts'

/** protocol/record.md. A record is a signed, immutable, self-contained statement in its author's own slot. */

/** Kinds by their number on the wire. */
export const RECORD_KINDS = { job: 1, offer: 2, cancel: 3, module: 4, equivocation: 5 } as const
export type RecordKind = keyof typeof RECORD_KINDS
const KIND_BY_NUMBER = new Map<number, RecordKind>(Object.entries(RECORD_KINDS).map(([kind, number]) => [number, kind as RecordKind]))

/** Largest encoded record. A plain offer takes 600 bytes; lists have room, not all of them at once. */
export const MAX_RECORD_BYTES = 16_384
/** Slots are counted in 32 bits; how many an account may use is its quota. */
export const MAX_SLOT = 2 ** 32 - 1

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

/** `recordId` from the bytes of the envelope, for the hot path: the same words, written without hex. */
function idOfBytes (domain: Domain, kind: number, account: Uint8Array, operator: Uint8Array, slot: number, seq: number, hash: Uint8Array): Hash {
  WORDS[63] = kind
  WORDS.set(account, 76)
  WORDS.set(operator, 108)
  WORDS.writeUInt32BE(slot, 156)
  WORDS.writeUInt32BE(Math.floor(seq / 0x1_0000_0000), 184)
  WORDS.writeUInt32BE(seq % 0x1_0000_0000, 188)
  WORDS.set(hash, 192)
  DIGEST.write(domainSeparator(domain).slice(2), 2, 'hex')
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
 * keeps it passes bytes of its own. Throws WireError.
 */
export function decodeRecord (domain: Domain, bytes: Uint8Array): DecodedRecord {
  const envelope = readEnvelope(bytes)
  const { kind, account, operator, slot, seq, body } = envelope
  return new DecodedRecord(bytes, envelope, idOfBytes(domain, RECORD_KINDS[kind], account, operator, slot, seq, keccakBytes(body)))
}

/** A record whose id is known already, because what holds it vouches for it. Throws WireError. */
export function restoreRecord (bytes: Uint8Array, id: Hash): DecodedRecord {
  return new DecodedRecord(bytes, readEnvelope(bytes), id)
}

/** By hand: this is the first thing that every record of every stranger meets. */
function readEnvelope (bytes: Uint8Array): Envelope {
  const fast = bytes.byteLength > MAX_RECORD_BYTES ? { ok: false as const } : decodeFast(bytes, true)
  if (!fast.ok) {
    // The long way says what is wrong.
    decodeCbor(bytes, MAX_RECORD_BYTES)
    throw invalid('it has values that no record has')
  }
  const items = fast.value
  if (!Array.isArray(items) || items.length < 8 || items.length > 9) throw invalid('an array of 8 or 9 items is expected')
  const [version, number, account, operator, slot, seq, body, signature, delegation] = items as unknown[]
  const kind = KIND_BY_NUMBER.get(number as number)
  if (version !== 1) throw invalid('version 1 is expected')
  if (kind === undefined) throw invalid(`kind ${String(number)} is unknown`)
  if (!isBytes(account, 20) || !isBytes(operator, 20)) throw invalid('addresses have 20 bytes')
  if (!isUint(slot) || slot > MAX_SLOT) throw invalid(`slot is a whole number up to ${MAX_SLOT}`)
  if (!isUint(seq)) throw invalid('seq is a whole number')
  if (!(body instanceof Uint8Array)) throw invalid('the body is a byte string')
  if (!isBytes(signature, 64)) throw invalid('a signature has 64 bytes')
  return { kind, account, operator, slot, seq, body, signature, delegation: items.length === 9 ? parseShape(delegationShape, delegation, 'delegation') : undefined }
}

function isBytes (value: unknown, length: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length === length
}

function isUint (value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function invalid (what: string): WireError {
  return new WireError('WIRE_INVALID', `record: ${what}`)
}

function fromHex (text: `0x${string}`): Uint8Array {
  return new Uint8Array(Buffer.from(text.slice(2), 'hex'))
}

/** Decodes a body of a known shape. Throws WireError. */
export function decodeBody<S extends z.ZodType> (shape: S, record: SignedRecord): z.output<S> {
  return parseShape(shape, decodeCbor(record.body, MAX_RECORD_BYTES), `${record.kind} body`)
}
