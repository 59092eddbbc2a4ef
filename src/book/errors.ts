import { CodedError } from '../core/errors.ts'

/** The order book: BOOK_* codes in protocol/errors.md. Most are verdicts on a record (`admission.ts`); some are thrown. */
export class BookError extends CodedError {}
