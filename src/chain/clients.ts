import { BaseError, createPublicClient, fallback, http, HttpRequestError, RpcRequestError, TimeoutError, type Hex, type PublicClient } from 'viem'
import { errorMessage } from '../core/errors.ts'
import { ChainError } from './errors.ts'

/** One chain behind one or several RPC URLs; the first that answers is used. */
export interface ChainClients {
  readonly chainId: number
  readonly rpcUrls: readonly string[]
  /** viem's client, for reads of contracts; wrap its calls in `guard`. */
  readonly viem: PublicClient
  /** A raw JSON-RPC request. Rejects with ChainError CHAIN_UNREACHABLE or CHAIN_RPC (the node answered with an error: `data.rpcData` is its data). */
  request: <T>(method: string, params: readonly unknown[]) => Promise<T>
  /** Runs a viem call with its errors turned into ChainError. */
  guard: <T>(what: string, call: () => Promise<T>) => Promise<T>
}

export interface ClientsOptions { rpcUrls: readonly string[], chainId: number, requestTimeoutMs: number }

/** Opens nothing before the first request. */
export function createClients (options: ClientsOptions): ChainClients {
  const { rpcUrls, chainId } = options
  // Retries are the callers' own: loops back off, a user's command shall fail at once with the URL in its message.
  const transports = rpcUrls.map((url) => http(url, { timeout: options.requestTimeoutMs, retryCount: 0 }))
  const viem = createPublicClient({ transport: fallback(transports, { retryCount: 0 }) })
  const guard: ChainClients['guard'] = async (what, call) => {
    try {
      return await call()
    } catch (error) {
      throw toChainError(error, what, rpcUrls)
    }
  }
  const send = viem.request as (request: { method: string, params: readonly unknown[] }) => Promise<unknown>
  return {
    chainId,
    rpcUrls,
    viem,
    guard,
    request: async <T>(method: string, params: readonly unknown[]) => await guard(method, async () => await send({ method, params })) as T
  }
}

/**
 * Asks every URL for its chain id. Throws ChainError CHAIN_WRONG_ID when one serves another chain,
 * CHAIN_UNREACHABLE when none answers; a URL that is down beside one that answers is left to the fallback.
 */
export async function assertChainId (options: ClientsOptions): Promise<void> {
  const answers = await Promise.allSettled(options.rpcUrls.map(async (url) => {
    const id = Number(await createClients({ ...options, rpcUrls: [url] }).request<Hex>('eth_chainId', []))
    if (id !== options.chainId) {
      throw new ChainError('CHAIN_WRONG_ID', `${url} serves chain ${id}, expected ${options.chainId}`, { data: { url, chainId: id, expected: options.chainId }, hint: 'Point rpcUrls of the network file at the chain that the deployment is on.' })
    }
  }))
  const failures = answers.flatMap((answer) => answer.status === 'rejected' ? [answer.reason as unknown] : [])
  const wrong = failures.find((error) => error instanceof ChainError && error.code === 'CHAIN_WRONG_ID')
  if (wrong !== undefined) throw wrong
  if (failures.length === options.rpcUrls.length) throw unreachable(options.rpcUrls, 'eth_chainId', failures[0])
}

function toChainError (error: unknown, what: string, rpcUrls: readonly string[]): ChainError {
  if (error instanceof ChainError) return error
  const find = <T extends Error>(type: abstract new (...parameters: never[]) => T): T | undefined => {
    const found = error instanceof BaseError ? error.walk((cause) => cause instanceof type) : null
    return found instanceof type ? found : undefined
  }
  const refused = find(RpcRequestError)
  if (refused !== undefined) {
    return new ChainError('CHAIN_RPC', `${what}: ${refused.details}`, { data: { method: what, rpcCode: refused.code, rpcData: revertData(refused.data) }, cause: error })
  }
  if (find(HttpRequestError) !== undefined || find(TimeoutError) !== undefined) return unreachable(rpcUrls, what, error)
  return new ChainError('CHAIN_RPC', `${what}: ${error instanceof BaseError ? error.shortMessage : errorMessage(error)}`, { data: { method: what }, cause: error })
}

/** Some nodes put the revert data straight into `error.data`, some one level below. */
function revertData (data: unknown): Hex | undefined {
  const inner = typeof data === 'object' && data !== null && 'data' in data ? data.data : data
  return typeof inner === 'string' && inner.startsWith('0x') ? inner as Hex : undefined
}

function unreachable (rpcUrls: readonly string[], what: string, cause: unknown): ChainError {
  return new ChainError('CHAIN_UNREACHABLE', `no answer to ${what} from ${rpcUrls.join(', ')}`, {
    data: { rpcUrls, method: what }, cause, hint: 'Check that the chain runs there ("lilynode devnet" for a local one) and that rpcUrls in the network file is right.'
  })
}
