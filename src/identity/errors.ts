import { CodedError } from '../core/errors.ts'

/** Keys and signatures: IDENTITY_* codes in protocol/errors.md. */
export class IdentityError extends CodedError {}
