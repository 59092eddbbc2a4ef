import { CodedError } from '../core/errors.ts'

/** What a role refuses or cannot do: ROLE_*, JOB_*, VOUCHER_* codes in protocol/errors.md. */
export class RoleError extends CodedError {}
