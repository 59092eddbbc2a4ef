import { CodedError } from '../core/errors.ts'

/** The fleet document and who may share it: FLEET_* codes in protocol/errors.md. */
export class FleetError extends CodedError {}
