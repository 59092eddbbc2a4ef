import { CodedError } from '../core/errors.ts'

/** What goes wrong between two parties of a deal; the codes are in protocol/errors.md. */
export class DealError extends CodedError {}
