import { CodedError } from '../core/errors.ts'

/** What keeps a node from being put together: NODE_* codes in protocol/errors.md. */
export class NodeError extends CodedError {}
