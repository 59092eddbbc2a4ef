import { CodedError } from '../core/errors.ts'

/** What goes wrong between this node and its chain: CHAIN_* and DEPLOYMENT_* codes in protocol/errors.md. */
export class ChainError extends CodedError {}

/** A transaction that the contracts refused: code CHAIN_REVERTED, the Solidity error's name in `data.error`, its arguments in `data.args`. */
export class ContractError extends ChainError {}
