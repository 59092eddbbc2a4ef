import { CodedError } from '../core/errors.ts'

/** Modules that cannot be found or used: REGISTRY_* codes in protocol/errors.md. */
export class RegistryError extends CodedError {}
