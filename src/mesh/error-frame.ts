import { CodedError } from '../core/errors.ts'
import { decodeCbor, encodeCbor } from '../wire/cbor.ts'
import { RequestError } from './errors.ts'
import { MAX_ERROR_BYTES } from './frame-parser.ts'

const CODE = /^[A-Z][A-Z0-9_]{2,63}$/
/** Leaves room for four bytes a character below MAX_ERROR_BYTES. */
const MAX_MESSAGE_CHARS = 400

/** What the other side may know of an error: code and message of a coded one, of any other only that it happened. */
export function errorToBytes (error: unknown): Uint8Array {
  const known = error instanceof CodedError && CODE.test(error.code)
  return encodeCbor({ code: known ? error.code : 'INTERNAL', message: known ? error.message.slice(0, MAX_MESSAGE_CHARS) : 'the other side failed' })
}

/** The error another peer reported; a malformed report is MESH_PROTOCOL. */
export function bytesToError (bytes: Uint8Array): RequestError {
  try {
    const value = decodeCbor(bytes, MAX_ERROR_BYTES)
    if (typeof value === 'object' && value !== null && 'code' in value && 'message' in value && typeof value.code === 'string' && typeof value.message === 'string' && CODE.test(value.code)) {
      return new RequestError(value.code, value.message.slice(0, MAX_MESSAGE_CHARS), { data: { remote: true } })
    }
  } catch (error) {
    return new RequestError('MESH_PROTOCOL', 'the other side sent a malformed error', { cause: error })
  }
  return new RequestError('MESH_PROTOCOL', 'the other side sent a malformed error')
}
