import { CodedError } from '../core/errors.ts'

/** The peer-to-peer host cannot do what was asked of it: MESH_* codes in protocol/errors.md. */
export class MeshError extends CodedError {}

/**
 * A request or framed stream failed. `data.remote` is true when the other side answered with this code,
 * which is then the code of the error its handler threw (INTERNAL when that error had none).
 */
export class RequestError extends CodedError {}
