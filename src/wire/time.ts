import { decodeCbor, encodeCbor } from './cbor.ts'
import { millisShape, parseShape } from './shapes.ts'

/** protocol/mesh.md, Time. */
export const TIME_PROTOCOL = '/lily/time/1.0.0'
export const MAX_TIME_BYTES = 16
/** The question says nothing: CBOR null. */
export const TIME_QUESTION: Uint8Array = encodeCbor(null)

/** Unix ms as the answer carries them. */
export function encodeTime (nowMs: number): Uint8Array {
  return encodeCbor(nowMs)
}

/** Throws WireError. */
export function decodeTime (bytes: Uint8Array): number {
  return parseShape(millisShape, decodeCbor(bytes, MAX_TIME_BYTES), 'time')
}
