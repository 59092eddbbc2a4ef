import { errorCode } from '../core/errors.ts'

/** Exit codes are a contract: protocol/cli.md. */
export const EXIT = {
  ok: 0,
  /** Something that should not happen; please report it. */
  internal: 1,
  /** Wrong flags or arguments. */
  usage: 2,
  /** Unknown module, job, file or network. */
  notFound: 3,
  /** Unfunded account, price, collateral. */
  money: 4,
  /** Chain, peers or local node cannot be reached. */
  unreachable: 5,
  /** The job ran and its program did not exit with 0. */
  jobFailed: 6,
  /** Nothing matched or finished in time. */
  timedOut: 7,
  /** Port or data folder in use, or data that cannot be read. */
  conflict: 8,
  /** A check of `demo` or `doctor` failed, or a ledger does not add up. */
  checkFailed: 9,
  /** Node.js is too old. */
  nodeTooOld: 10,
  interrupted: 130
} as const

/** First match wins: exact codes stand before the prefix of their folder. */
const BY_PREFIX: ReadonlyArray<[prefix: string, exit: number]> = [
  ['USAGE_', EXIT.usage], ['REGISTRY_BAD', EXIT.usage], ['API_BAD_REQUEST', EXIT.usage], ['API_TOO_LARGE', EXIT.usage], ['WIRE_', EXIT.usage],
  ['CONFIG_NETWORK_MISSING', EXIT.notFound], ['CONFIG_', EXIT.usage], ['ROLE_NOT_RUNNING', EXIT.usage], ['ROLE_BAD', EXIT.usage], ['NODE_FAULT', EXIT.usage], ['NODE_OPERATOR', EXIT.usage],
  ['REGISTRY_UNKNOWN', EXIT.notFound], ['JOB_UNKNOWN', EXIT.notFound], ['OFFER_UNKNOWN', EXIT.notFound], ['JOB_MODULE_UNAVAILABLE', EXIT.notFound], ['API_NO_', EXIT.notFound], ['STORE_NOT_FOUND', EXIT.notFound], ['STORE_CID', EXIT.notFound],
  ['DEAL_UNKNOWN', EXIT.notFound], ['DEAL_APPEAL_STAKE', EXIT.money], ['DEAL_APPEAL_LATE', EXIT.timedOut], ['DEAL_NO_', EXIT.usage], ['DEAL_APPEALED', EXIT.usage], ['JOB_UNFUNDED', EXIT.money], ['NODE_UNFUNDED', EXIT.money], ['NODE_NOT_FREE', EXIT.money], ['NODE_SOLVER_AWAY', EXIT.unreachable], ['IDENTITY_', EXIT.money], ['CHAIN_REVERTED', EXIT.money], ['CHAIN_NO_GAS_MONEY', EXIT.money], ['CARRY_', EXIT.money],
  ['CHAIN_PORT_IN_USE', EXIT.conflict], ['CHAIN_DATA_LOCKED', EXIT.conflict], ['CHAIN_SNAPSHOT_INVALID', EXIT.conflict], ['CHAIN_', EXIT.unreachable], ['DEPLOYMENT_INVALID', EXIT.usage], ['DEPLOYMENT_', EXIT.unreachable],
  ['CLI_NO_NODE', EXIT.unreachable], ['API_UNREACHABLE', EXIT.unreachable], ['API_UNAUTHORISED', EXIT.unreachable], ['DEVNET_KEPT', EXIT.conflict], ['DEVNET_NONE', EXIT.notFound], ['DEVNET_', EXIT.unreachable],
  ['MESH_PORT', EXIT.conflict], ['MESH_IDENTITY', EXIT.conflict], ['MESH_LISTEN', EXIT.usage], ['MESH_ADDRESS', EXIT.usage], ['MESH_PSK', EXIT.usage], ['MESH_', EXIT.unreachable],
  ['VOUCHER_NO_CHANNEL', EXIT.notFound], ['VOUCHER_REFUSED', EXIT.usage], ['VOUCHER_', EXIT.money],
  ['FLEET_UNKNOWN', EXIT.notFound], ['FLEET_', EXIT.usage],
  ['STORE_TREE_INVALID', EXIT.usage], ['STORE_', EXIT.conflict], ['CLI_FILE', EXIT.conflict], ['API_PORT', EXIT.conflict], ['API_FULL', EXIT.conflict], ['API_ORIGIN', EXIT.usage], ['DEMO_', EXIT.checkFailed],
  ['JOB_EXPIRED', EXIT.timedOut], ['JOB_ATTEMPTS', EXIT.timedOut], ['JOB_TIMED_OUT', EXIT.timedOut], ['JOB_NO_VERDICT', EXIT.timedOut], ['JOB_', EXIT.usage], ['CLI_INTERRUPTED', EXIT.interrupted]
]

/** The exit code for a thrown value. */
export function exitCodeOf (error: unknown): number {
  const code = errorCode(error)
  return BY_PREFIX.find(([prefix]) => code.startsWith(prefix))?.[1] ?? EXIT.internal
}
