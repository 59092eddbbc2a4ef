import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Doc } from 'yjs'
import type { AppealView, AuctionSummary, BalanceView, BookView, JobView, LedgerEntry, LedgerPage, LedgerView, NodeFacade, NodeStatus, SessionView, TransactionView } from '../api/facade.ts'
import type { ChannelView } from '../api/vouchers.ts'
import { dataPaths } from '../config/paths.ts'
import type { FleetView } from '../fleet/view.ts'
import { CodedError, errorMessage } from '../core/errors.ts'
import { textFlag, type CommandContext } from './commands/context.ts'
import { CliError } from './errors.ts'

/** The local API of a running node, typed. Rejects with the node's own coded errors, or CLI_NO_NODE, API_UNREACHABLE. */
export interface NodeClient {
  readonly url: string
  status: (signal?: AbortSignal) => Promise<NodeStatus>
  book: () => Promise<BookView>
  peers: () => Promise<ReturnType<NodeFacade['peers']>>
  balance: () => Promise<BalanceView>
  ledger: () => Promise<LedgerView>
  vouchers: () => Promise<ChannelView[]>
  /** protocol/api.md: what each action takes and answers. */
  voucher: <T>(action: 'open' | 'pay' | 'take' | 'redeem' | 'close', body: unknown) => Promise<T>
  session: () => Promise<SessionView>
  changeSession: (action: 'end' | 'renew') => Promise<SessionView>
  money: (action: 'deposit' | 'withdraw' | 'stake', amount: number) => Promise<TransactionView>
  submit: (request: unknown) => Promise<JobView>
  jobs: () => Promise<JobView[]>
  job: (id: string) => Promise<JobView>
  cancel: (id: string) => Promise<JobView>
  appeal: (deal: string) => Promise<AppealView>
  explain: (id: string) => Promise<unknown>
  explainOffer: (id: string) => Promise<unknown>
  auction: (epoch: number) => Promise<AuctionSummary>
  fleet: () => Promise<FleetView>
  /** Each resolves to the fleet as it is then. */
  changeFleet: (what: 'roster' | 'state' | 'price', body: unknown) => Promise<FleetView>
  events: (id: string, signal: AbortSignal) => AsyncIterable<JobView>
  /**
   * Keeps a copy of the live view (protocol/view.md) and calls back with each whole one, the first and those made anew. Ends
   * only with the signal or the node: rejects with the signal's reason or API_UNREACHABLE.
   */
  followView: (onCopy: (copy: Doc) => void, signal: AbortSignal) => Promise<never>
}

/** The remote error, with the code it had there. */
class RemoteError extends CodedError {}

/** The slowest answers wait a minute for a transaction; a node that hangs shall not make its user hang. */
const ANSWER_TIMEOUT_MS = 90_000
/** A node under load answers this simple question within a second or two. */
const PROBE_TIMEOUT_MS = 10_000

/** Reads api.json of a data folder; undefined when no node has written one. */
export async function readApiFile (root: string): Promise<{ url: string, token: string, pid: number } | undefined> {
  try {
    return JSON.parse(await readFile(dataPaths(root).api, 'utf8')) as { url: string, token: string, pid: number }
  } catch {
    return undefined
  }
}

/** A client of the node of the first data folder that has one running, for the network of that name where one is given. Rejects with API_UNREACHABLE for one that runs and does not answer. */
export async function findNode (roots: readonly string[], network?: string): Promise<NodeClient | undefined> {
  for (const root of roots) {
    const api = await readApiFile(root)
    if (api === undefined) continue
    try {
      await createNodeClient(api).status(AbortSignal.timeout(PROBE_TIMEOUT_MS))
      return createNodeClient(api, network)
    } catch (error) {
      // Nobody listens where a node has ended; who listens and says nothing hangs.
      if (!isTimeout(error)) continue
      throw new CliError('API_UNREACHABLE', `the node of ${root} (process ${api.pid}) has not answered for ${PROBE_TIMEOUT_MS / 1000} s`, { data: { root, pid: api.pid }, cause: error, hint: 'It hangs or was stopped: look at node.log in its data folder, continue it with "kill -CONT", or end it and start it again.' })
    }
  }
  return undefined
}

function isTimeout (error: unknown): boolean {
  return error instanceof Error && (error.name === 'TimeoutError' || isTimeout(error.cause))
}

/** The node and network that a command talks to: of --data and --on, else of ~/.lilynode, else the creator of the local devnet. Rejects with CLI_NO_NODE. */
export async function requireNode (context: Pick<CommandContext, 'root' | 'flags'>): Promise<NodeClient> {
  const { root } = context
  const client = await findNode(nodeRoots(root), textFlag(context, 'on'))
  if (client === undefined) throw new CliError('CLI_NO_NODE', `no running node in ${root}`, { data: { data: root }, hint: 'Start one with "lilynode devnet" or "lilynode start", or name its folder with --data.' })
  return client
}

/** Data folders that may hold the node meant by a root. */
export function nodeRoots (root: string): string[] {
  return [root, join(root, 'creator-1'), join(root, 'devnet', 'creator-1')]
}

export function createNodeClient (api: { url: string, token: string }, network?: string): NodeClient {
  const query = network === undefined ? '' : `?network=${encodeURIComponent(network)}`
  const away = (error: unknown): CliError => new CliError('API_UNREACHABLE', `the node at ${api.url} does not answer: ${errorMessage(error)}`, { data: { url: api.url }, cause: error, hint: 'It may have stopped; look at node.log in its data folder.' })
  const send = async (method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> => {
    let response: Response
    try {
      response = await fetch(`${api.url}${path}${query}`, {
        method,
        headers: { authorization: `Bearer ${api.token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: signal ?? AbortSignal.timeout(ANSWER_TIMEOUT_MS)
      })
    } catch (error) {
      throw away(error)
    }
    if (!response.ok) {
      const { error } = await response.json() as { error: { code: string, message: string, hint?: string, data?: Record<string, unknown> } }
      throw new RemoteError(error.code, error.message, { hint: error.hint ?? '', data: error.data ?? {} })
    }
    return response
  }
  /** A stream of JSON lines. Rejects with API_UNREACHABLE when the node goes away in the middle of it. */
  const lines = async function * <T>(path: string, signal: AbortSignal): AsyncGenerator<T> {
    const response = await send('GET', path, undefined, signal)
    let rest = ''
    const decoder = new TextDecoder()
    try {
      for await (const chunk of response.body ?? []) {
        const complete = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n')
        rest = complete.pop() ?? ''
        for (const line of complete) if (line !== '') yield JSON.parse(line) as T
      }
    } catch (error) {
      if (signal.aborted || !(error instanceof TypeError)) throw error
      throw away(error)
    }
  }
  const get = async <T>(path: string, signal?: AbortSignal): Promise<T> => await (await send('GET', path, undefined, signal)).json() as T
  const post = async <T>(path: string, body: unknown): Promise<T> => await (await send('POST', path, body)).json() as T
  return {
    url: api.url,
    status: (signal) => get('/v1/status', signal),
    book: () => get('/v1/book'),
    peers: () => get('/v1/peers'),
    balance: () => get('/v1/balance'),
    ledger: async () => {
      const entries: LedgerEntry[] = []
      for (;;) {
        const page = await get<LedgerPage>(`/v1/ledger/${entries.length}`)
        entries.push(...page.entries)
        if (page.entries.length === 0 || entries.length >= page.total) return { ...page, entries }
      }
    },
    vouchers: () => get('/v1/vouchers'),
    voucher: (action, body) => post(`/v1/vouchers/${action}`, body),
    session: () => get('/v1/session'),
    changeSession: (action) => post(`/v1/session/${action}`, {}),
    money: (action, amount) => post(`/v1/${action}`, { amount }),
    submit: (request) => post('/v1/jobs', request),
    jobs: () => get('/v1/jobs'),
    job: (id) => get(`/v1/jobs/${encodeURIComponent(id)}`),
    cancel: (id) => post(`/v1/jobs/${encodeURIComponent(id)}/cancel`, {}),
    appeal: (deal) => post(`/v1/deals/${encodeURIComponent(deal)}/appeal`, {}),
    explain: (id) => get(`/v1/jobs/${encodeURIComponent(id)}/explain`),
    explainOffer: (id) => get(`/v1/offers/${encodeURIComponent(id)}/explain`),
    auction: (epoch) => get(`/v1/auctions/${epoch}`),
    fleet: () => get('/v1/fleet'),
    changeFleet: (what, body) => post(`/v1/fleet/${what}`, body),
    events: (id, signal) => lines<JobView>(`/v1/jobs/${encodeURIComponent(id)}/events`, signal),
    followView: async (onCopy, signal) => await (await import('./view-reader.ts')).followView({ ...api, network }, onCopy, signal)
  }
}
