import { decodeCbor } from './cbor.ts'
import { decodeFast, UNKNOWN } from './cbor-fast.ts'
import { MAJOR, readHead } from './cbor-head.ts'
import { delegationShape, type Delegation } from './delegation.ts'
import { WireError } from './errors.ts'
import { parseShape } from './shapes.ts'

/** Kinds by their number on the wire. */
export const RECORD_KINDS = { job: 1, offer: 2, cancel: 3, module: 4, equivocation: 5 } as const
export type RecordKind = keyof typeof RECORD_KINDS
const KINDS = new Map<number, RecordKind>(Object.entries(RECORD_KINDS).map(([kind, number]) => [number, kind as RecordKind]))

/** Largest encoded record. A plain offer takes 600 bytes; lists have room, not all of them at once. */
export const MAX_RECORD_BYTES = 16_384
/** Slots are counted in 32 bits; how many an account may use is its quota. */
export const MAX_SLOT = 2 ** 32 - 1

/** What the envelope of a record says, and where in its encoding the byte strings are: addresses of 20 bytes, a signature of 64. */
export interface Envelope { kind: RecordKind, accountAt: number, operatorAt: number, slot: number, seq: number, bodyAt: number, bodyEnd: number, signatureAt: number, delegation: Delegation | undefined }

const ADDRESS_BYTES = 20
const SIGNATURE_BYTES = 64

/** By hand: this is the first thing that every record of every stranger meets. Throws WireError. */
export function readEnvelope (bytes: Uint8Array): Envelope {
  const envelope = bytes.byteLength > MAX_RECORD_BYTES ? undefined : walk(bytes)
  if (envelope === undefined) throw refusal(bytes)
  return envelope
}

function walk (bytes: Uint8Array): Envelope | undefined {
  const items = (bytes[0] as number) - 0x80
  if ((items !== 8 && items !== 9) || bytes[1] !== 1) return undefined
  const cursor = { bytes, at: 2, end: bytes.length }
  /** Where a byte string begins; -1 where there is none of this length. */
  const skip = (length: number): number => {
    if (readHead(cursor, MAJOR.bytes) !== length) return -1
    const { at } = cursor
    cursor.at += length
    return at
  }
  const kind = KINDS.get(readHead(cursor, MAJOR.uint))
  const accountAt = skip(ADDRESS_BYTES)
  const operatorAt = skip(ADDRESS_BYTES)
  const slot = readHead(cursor, MAJOR.uint)
  const seq = readHead(cursor, MAJOR.uint)
  const length = readHead(cursor, MAJOR.bytes)
  const bodyAt = cursor.at
  const bodyEnd = cursor.at += length
  const signatureAt = skip(SIGNATURE_BYTES)
  if (kind === undefined || accountAt < 0 || operatorAt < 0 || slot < 0 || slot > MAX_SLOT || seq < 0 || length < 0 || signatureAt < 0) return undefined
  if (items === 8) return cursor.at === bytes.length ? { kind, accountAt, operatorAt, slot, seq, bodyAt, bodyEnd, signatureAt, delegation: undefined } : undefined
  const delegation = decodeFast(bytes, false, cursor.at)
  return delegation !== UNKNOWN ? { kind, accountAt, operatorAt, slot, seq, bodyAt, bodyEnd, signatureAt, delegation: parseShape(delegationShape, delegation, 'delegation') } : undefined
}

/** The long way says what is wrong. */
function refusal (bytes: Uint8Array): WireError {
  const items = decodeCbor(bytes, MAX_RECORD_BYTES)
  if (!Array.isArray(items) || items.length < 8 || items.length > 9) return invalid('an array of 8 or 9 items is expected')
  const [version, number, account, operator, slot, seq, body, signature] = items as unknown[]
  if (version !== 1) return invalid('version 1 is expected')
  if (KINDS.get(number as number) === undefined) return invalid(`kind ${String(number)} is unknown`)
  if (!isBytes(account, ADDRESS_BYTES) || !isBytes(operator, ADDRESS_BYTES)) return invalid('addresses have 20 bytes')
  if (!isUint(slot) || slot > MAX_SLOT) return invalid(`slot is a whole number up to ${MAX_SLOT}`)
  if (!isUint(seq)) return invalid('seq is a whole number')
  if (!(body instanceof Uint8Array)) return invalid('the body is a byte string')
  if (!isBytes(signature, SIGNATURE_BYTES)) return invalid('a signature has 64 bytes')
  return invalid('it has values that no record has')
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
