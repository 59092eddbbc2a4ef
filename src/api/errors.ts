import { CodedError } from '../core/errors.ts'

/** Requests to the local API that cannot be answered: API_* codes in protocol/errors.md. */
export class ApiError extends CodedError {}
