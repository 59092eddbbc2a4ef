import { CodedError } from '../core/errors.ts'

/** What goes wrong on the host's side of a run; the codes are in protocol/errors.md. */
export class ExecError extends CodedError {}
