import { CodedError } from '../core/errors.ts'

/** Bytes or values that do not follow `protocol/`: WIRE_TOO_LARGE, WIRE_MALFORMED, WIRE_NOT_CANONICAL, WIRE_INVALID, WIRE_DOMAIN. */
export class WireError extends CodedError {}
