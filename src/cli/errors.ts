import { CodedError } from '../core/errors.ts'

/** What the command line itself refuses: USAGE_*, CLI_* and DEVNET_* codes in protocol/errors.md. */
export class CliError extends CodedError {}
