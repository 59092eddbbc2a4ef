import { CodedError } from '../core/errors.ts'

/** The disk or the block network cannot give or keep what was asked: STORE_* codes in protocol/errors.md. */
export class StoreError extends CodedError {}
