import type { LogLevel } from '../core/logger.ts'
import type { UnitShare } from '../roles/provider/capacity.ts'

/** The roles of the binary. One node may hold several. */
export const ROLES = ['resource-provider', 'solver', 'mediator', 'creator', 'bootstrap', 'module-provider'] as const
export type RoleName = typeof ROLES[number]

/** Roles whose deals, bonds and transactions are signed by the account's own key: an operator cannot hold them before sessions on chain exist. */
export const ACCOUNT_KEY_ROLES: readonly RoleName[] = ['resource-provider', 'solver', 'mediator', 'creator']

/** What a node can be told about one of its networks; without a path it is network.json of the data folder. */
export interface NetworkOptions {
  path?: string | undefined
  /** A delegation file: the node's key is an operator that signs records for the account named there. */
  delegationPath?: string | undefined
  /** Markets to follow, `name` or `name/class`; without it every market of the network. */
  markets?: readonly string[] | undefined
  /** A roster that names this node: it joins that fleet, or takes what is newer in it. */
  fleetPath?: string | undefined
  listen?: readonly string[]
  /** Multiaddrs to tell others instead of those listened on. */
  announce?: readonly string[]
}

/** What `lilynode start` can be told; everything has a default but the roles. It holds for each network. */
export interface NodeOptions {
  root: string
  /** The first is what the node answers for unasked. */
  networks: readonly [NetworkOptions, ...NetworkOptions[]]
  roles: readonly RoleName[]
  logLevel?: LogLevel
  /** Let nodes behind a NAT be reached through this one; a bootstrap node does so anyway. */
  relay?: boolean
  /** Whether others can dial this node; `auto` finds out on public networks. */
  reachability?: 'auto' | 'public' | 'private'
  /** Ask the local router for a port. */
  upnp?: boolean
  /** 0: any free port. */
  apiPort?: number
  /** Names of engines joined by commas; see src/match/engines.ts. */
  engine?: string | undefined
  units?: readonly UnitShare[]
  /** Asks as a multiple of the reference prices. */
  askFactor?: number
  /** Module folders to publish. */
  modules?: readonly string[]
  /** Keep at least this much free in the vault, nLILY. */
  deposit?: number
  /** Keep at least this bond, nLILY. */
  stake?: number
  /** Keep no session: every deal is opened and settled by itself. */
  direct?: boolean
  fault?: string | undefined
}
