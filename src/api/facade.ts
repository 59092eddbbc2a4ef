import type { DealTransaction } from '../deal/deal.ts'
import type { FleetFacade } from './fleet.ts'
import type { VoucherFacade } from './vouchers.ts'

/** What a node lets its owner see and do. The HTTP API, and later the dashboard and the gateway, are faces of this. Money is nLILY. */
export interface NodeFacade {
  status: () => Promise<NodeStatus>
  book: () => BookView
  peers: () => PeerView[]
  balance: () => Promise<BalanceView>
  /** Every movement of the account's money in the Vault. */
  ledger: () => Promise<LedgerView>
  vouchers: VoucherFacade
  session: () => Promise<SessionView>
  changeSession: (action: 'end' | 'renew') => Promise<SessionView>
  deposit: (amount: number) => Promise<TransactionView>
  withdraw: (amount: number) => Promise<TransactionView>
  stake: (amount: number) => Promise<TransactionView>
  submit: (request: unknown) => Promise<JobView>
  cancel: (jobId: string) => Promise<JobView>
  appeal: (dealId: string) => Promise<AppealView>
  jobs: () => JobView[]
  job: (jobId: string) => JobView
  explain: (jobId: string) => Promise<unknown>
  /** Why an offer of the book, whoever's, stays idle. */
  explainOffer: (offerId: string) => Promise<unknown>
  /** Calls back at every change of the job until the returned function is called. */
  watch: (jobId: string, listener: (job: JobView) => void) => () => void
  /** This node's own recomputation of an epoch's auction. */
  auction: (epoch: number) => AuctionSummary | undefined
  /** The fleet that this node belongs to. */
  fleet: FleetFacade
}

/** A connected peer, and how the last comparison of books with it ended: which shards that both follow differ, and which only we follow. */
export interface PeerView {
  peerId: string
  address: string
  direction: 'inbound' | 'outbound'
  score: number
  connectedAtMs: number
  book?: { equal: boolean, missing: number, extra: number, records: number, differing: string[], unshared: string[], atMs: number }
}
export interface NodeStatus {
  version: string
  network: string
  /** All that this process is on; the first is what it answers for unasked. */
  networks: string[]
  peerId: string
  addresses: string[]
  /** Whom the node's records speak for, and the key that signs them. */
  account: string
  operator: string
  /** X25519 key that others seal for this node with. */
  sealKey: string
  roles: string[]
  peers: number
  /** Whether others can dial the node, and the relays through which they reach it otherwise. */
  reachability: { state: 'unknown' | 'public' | 'private', relays: string[] }
  records: number
  /** Markets and classes that the node follows, like default/cpu. */
  shards: string[]
  chain: { chainId: number, blockTime: number, ok: boolean }
  epoch: number
  process: { pid: number, rssMiB: number, uptimeMs: number }
  warnings: string[]
}
export interface BookView { jobs: RecordView[], offers: RecordView[], modules: RecordView[] }
export interface RecordView { id: string, account: string, slot: number, seq: number, body: unknown }
/** protocol/ledger.md, Answer. */
export interface LedgerView { account: string, upTo: number, entries: LedgerEntry[], sums: Holdings, chain: Holdings, isEqual: boolean }
/** Some of the entries; `total`: how many there are. */
export interface LedgerPage extends LedgerView { total: number }
export interface LedgerEntry {
  id: string, block: number, time: number, transaction: string, kind: string, deal?: string, batch?: string, deals?: readonly string[], peer?: string
  free?: number, locked?: number, bond?: number, unbonding?: number, session?: number, number?: number
}
export interface Holdings { free: number, locked: number, bond: number, unbonding: number, sessions: Record<string, number> }
export interface BalanceView { account: string, wei: string, token: number, free: number, session: number, locked: number, bond: number }
/** The session that batches lock this account's money from; `expiry` in unix seconds, `isEnded`: by its owner. */
export interface SessionView { funds: number, allowed: number, expiry: number, isEnded: boolean }
/** `leaves`: how many deals of a batch share it. */
export interface TransactionView { name: string, hash: string, gas: number, from: string, leaves?: number }
/** `judgeBy` in unix seconds; `judgements`: calldata for the Court by outcome, of which the judge sends one. */
export interface AppealView { dealId: string, stake: number, judgeBy: number, judge: string, court: string, judgements: { correct: string, wrong: string, inconclusive: string }, transaction: TransactionView }
export interface SolutionSummary { solver: string, engine: string, score: number, matches: number, winner: boolean, fallback: boolean }
export interface AuctionSummary { epoch: number, solutions: SolutionSummary[] }

/** One job as its creator sees it. */
export interface JobView {
  id: string
  module: string
  state: string
  attempt: number
  limit: number
  createdAtMs: number
  matchedAtMs?: number
  completedAtMs?: number
  settledAtMs?: number
  result?: { cid: string, path: string, exitCode: number, reason: string, guestMs: number }
  problem?: { code: string, message: string }
  deals: DealView[]
}
export interface DealView {
  dealId: string
  state: string
  epoch: number
  provider: string
  solver: string
  price: number
  fee: number
  collateral: number
  attempt: number
  verification: number
  verdict?: { mediator: string, outcome: number }
  problem?: { code: string, message: string }
  transactions: DealTransaction[]
}
