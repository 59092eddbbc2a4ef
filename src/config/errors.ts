import { CodedError } from '../core/errors.ts'

/** Configuration that cannot be used: CONFIG_* codes in protocol/errors.md. */
export class ConfigError extends CodedError {}
