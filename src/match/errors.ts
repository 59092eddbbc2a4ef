import { CodedError } from '../core/errors.ts'

/** What a caller of the matching part did wrong; the codes are in protocol/errors.md. Foreign solutions never throw, they score 0. */
export class MatchError extends CodedError {}
