import { BaseError, createPublicClient, custom, hexToNumber, type Hex, type PublicClient } from 'viem'
import { errorMessage } from '../core/errors.ts'
import { agreedHead } from './agreed-head.ts'
import { askAgreed, askAny, askFirst, tellAll } from './asking.ts'
import { canonicalAnswer } from './canonical.ts'
import { createEndpoint, unreachable, type Endpoint, type Now } from './endpoints.ts'
import { ChainError } from './errors.ts'

/** One chain behind one or several RPC URLs. */
export interface ChainClients {
  readonly chainId: number
  readonly rpcUrls: readonly string[]
  /** viem's client, for reads of contracts; wrap its calls in `guard`. */
  readonly viem: PublicClient
  /**
   * A JSON-RPC request, asked as its method needs (protocol/deployment.md, RPC endpoints). Rejects with ChainError CHAIN_UNREACHABLE,
   * CHAIN_DISAGREED or CHAIN_RPC (the node answered with an error: `data.rpcData` is its data).
   */
  request: <T>(method: string, params: readonly unknown[]) => Promise<T>
  /** Runs a viem call with its errors turned into ChainError. */
  guard: <T>(what: string, call: () => Promise<T>) => Promise<T>
  /** URLs that are not asked at present, and why. */
  resting: () => Array<{ url: string, problem: string }>
}

/** `quorum`: how many endpoints have to say alike what money depends on. */
export interface ClientsOptions { rpcUrls: readonly string[], chainId: number, requestTimeoutMs: number, quorum?: number, now?: Now }

/** What is decided by; the place of the block tag among its parameters, where it has one. */
const AGREED: Readonly<Record<string, number | undefined>> = {
  eth_call: 1, eth_getBalance: 1, eth_getCode: 1, eth_getTransactionCount: 1, eth_getLogs: undefined, eth_getTransactionReceipt: undefined, eth_getTransactionByHash: undefined, eth_getBlockByNumber: 0
}

/** Asked about one block that the endpoint claims to have, so that a difference is no lag. */
const TELLING: ReadonlySet<string> = new Set(['eth_call', 'eth_getBalance', 'eth_getCode', 'eth_getLogs'])

/** Opens nothing before the first request. */
export function createClients (options: ClientsOptions): ChainClients {
  const { rpcUrls, chainId, quorum = 1 } = options
  const now = options.now ?? (() => performance.now())
  const endpoints = rpcUrls.map((url) => createEndpoint(url, { chainId, requestTimeoutMs: options.requestTimeoutMs, now }))
  const head = createAgreedHead(endpoints, quorum)

  const route = async (method: string, params: readonly unknown[]): Promise<unknown> => {
    if (method === 'eth_sendRawTransaction') return await tellAll(endpoints, method, params)
    if (method === 'eth_estimateGas') return await askAny(endpoints, method, params)
    const tagPlace = AGREED[method]
    if (quorum === 1 || !(method in AGREED) || (tagPlace !== undefined && params[tagPlace] === 'pending')) return await askFirst(endpoints, method, params)
    if (tagPlace === undefined || params[tagPlace] !== 'latest') return await askAgreed(endpoints, method, params, { quorum, canonical: canonicalAnswer(method), isTelling: TELLING.has(method) })
    const block = await head()
    if (method === 'eth_getBlockByNumber') return block
    return await askAgreed(endpoints, method, params.with(tagPlace, block.number), { quorum, canonical: canonicalAnswer(method), isTelling: TELLING.has(method) })
  }
  const guard: ChainClients['guard'] = async (what, call) => {
    try {
      return await call()
    } catch (error) {
      throw toChainError(error, what)
    }
  }
  return {
    chainId,
    rpcUrls,
    viem: createPublicClient({ transport: custom({ request: async ({ method, params }: { method: string, params?: readonly unknown[] }) => await route(method, params ?? []) }, { retryCount: 0 }) }),
    guard,
    request: async <T>(method: string, params: readonly unknown[]) => await route(method, params) as T,
    resting: () => endpoints.flatMap((endpoint) => { const problem = endpoint.problem(); return problem === undefined ? [] : [{ url: endpoint.url, problem }] })
  }
}

/** Requests of one moment share a look at the head; one that comes after a look began gets the next. */
function createAgreedHead (endpoints: readonly Endpoint[], quorum: number): () => Promise<{ number: Hex }> {
  let known = -1
  let next: Promise<{ number: Hex }> | undefined
  const look = async (): Promise<{ number: Hex }> => {
    const block = await agreedHead(endpoints, { quorum, known }) as { number: Hex }
    known = hexToNumber(block.number)
    return block
  }
  return async () => await (next ??= Promise.resolve().then(async () => { next = undefined; return await look() }))
}

/**
 * Asks every URL for its chain id. Throws ChainError CHAIN_WRONG_ID when one serves another chain,
 * CHAIN_UNREACHABLE when fewer than the quorum answer; a URL that is down beside those is left to the fallback.
 */
export async function assertChainId (options: ClientsOptions): Promise<void> {
  const answers = await Promise.allSettled(options.rpcUrls.map(async (url) => {
    const id = Number(await createClients({ ...options, rpcUrls: [url], quorum: 1 }).request<Hex>('eth_chainId', []))
    if (id !== options.chainId) {
      throw new ChainError('CHAIN_WRONG_ID', `${url} serves chain ${id}, expected ${options.chainId}`, { data: { url, chainId: id, expected: options.chainId }, hint: 'Point rpcUrls of the network file at the chain that the deployment is on.' })
    }
  }))
  const failures = answers.flatMap((answer) => answer.status === 'rejected' ? [answer.reason as unknown] : [])
  const wrong = failures.find((error) => error instanceof ChainError && error.code === 'CHAIN_WRONG_ID')
  if (wrong !== undefined) throw wrong
  if (options.rpcUrls.length - failures.length < (options.quorum ?? 1)) throw unreachable(options.rpcUrls, 'eth_chainId', failures[0])
}

function toChainError (error: unknown, what: string): ChainError {
  if (error instanceof ChainError) return error
  const found = error instanceof BaseError ? error.walk((cause) => cause instanceof ChainError) : null
  if (found instanceof ChainError) return found
  return new ChainError('CHAIN_RPC', `${what}: ${error instanceof BaseError ? error.shortMessage : errorMessage(error)}`, { data: { method: what }, cause: error })
}
