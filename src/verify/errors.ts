import { CodedError } from '../core/errors.ts'

/** Results that cannot be accepted: VERIFY_* codes in protocol/errors.md. */
export class VerifyError extends CodedError {}
