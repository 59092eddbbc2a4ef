import { z } from 'zod'
import { decodeCbor, encodeCbor } from './cbor.ts'
import { delegationShape } from './delegation.ts'
import { parseShape } from './shapes.ts'

/** protocol/identity.md, Hello: which account speaks from a peer id, by a delegation that the account signed. */
export const HELLO_PROTOCOL = '/lily/hello/1.0.0'
export const MAX_HELLO_BYTES = 4096
/** The question says nothing: CBOR null. */
export const HELLO_QUESTION: Uint8Array = encodeCbor(null)

const helloShape = z.strictObject({ delegation: delegationShape, roles: z.array(z.string().max(32)).max(16) })
export type Hello = z.output<typeof helloShape>

/** Canonical bytes of the answer. */
export function encodeHello (hello: Hello): Uint8Array {
  return encodeCbor(hello)
}

/** Checks foreign bytes; signatures are the caller's. Throws WireError. */
export function decodeHello (bytes: Uint8Array): Hello {
  return parseShape(helloShape, decodeCbor(bytes, MAX_HELLO_BYTES), 'hello')
}
