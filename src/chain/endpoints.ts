import { BaseError, http, HttpRequestError, RpcRequestError, TimeoutError, type Hex } from 'viem'
import { errorMessage } from '../core/errors.ts'
import { ChainError } from './errors.ts'

/** One RPC URL, and whether it is worth asking. */
export interface Endpoint {
  readonly url: string
  /** Rejects with ChainError CHAIN_UNREACHABLE (no answer, or none for now) or CHAIN_RPC (the node's error; `data.rpcData` is its data). */
  ask: (method: string, params: readonly unknown[]) => Promise<unknown>
  /** False while it rests after a failure. When its time is over it is probed in the background first, so that nobody waits for it. */
  isUsable: () => boolean
  /** It contradicted what enough others agree on. */
  distrust: (what: string) => void
  /** Why it rests; undefined when it does not. */
  problem: () => string | undefined
}

/** Milliseconds of a clock that never goes back. */
export type Now = () => number

const FIRST_REST_MS = 1000
const MAX_REST_MS = 60_000

/** Asks nothing before the first request. */
export function createEndpoint (url: string, options: { chainId: number, requestTimeoutMs: number, now: Now }): Endpoint {
  // Retries are the callers' own: loops back off, a user's command shall fail at once with the URL in its message.
  const send = http(url, { timeout: options.requestTimeoutMs, retryCount: 0 })({}).request as (request: { method: string, params: readonly unknown[] }) => Promise<unknown>
  let failures = 0
  let restUntilMs = -Infinity
  let problem: string | undefined
  let isProbing = false

  const rest = (why: string, ms: number): void => {
    problem = why
    restUntilMs = options.now() + ms
  }
  const ask: Endpoint['ask'] = async (method, params) => {
    try {
      const result = await send({ method, params })
      failures = 0
      return result
    } catch (error) {
      const failure = toChainError(error, method, url)
      // Requests that were out together fail together, and count once.
      if (failure.code === 'CHAIN_UNREACHABLE' && options.now() >= restUntilMs) rest(failure.message, Math.min(FIRST_REST_MS * 2 ** failures++, MAX_REST_MS))
      throw failure
    }
  }
  const probe = (): void => {
    if (isProbing || options.now() < restUntilMs) return
    isProbing = true
    ask('eth_chainId', []).then((id) => {
      if (Number(id) === options.chainId) problem = undefined
      else rest(`it serves chain ${Number(id)}`, MAX_REST_MS)
    }, () => undefined).finally(() => { isProbing = false })
  }
  return {
    url,
    ask,
    isUsable: () => {
      if (problem !== undefined) probe()
      return problem === undefined
    },
    distrust: (what) => { rest(`its answer to ${what} differs from what the others say`, MAX_REST_MS) },
    problem: () => problem
  }
}

function toChainError (error: unknown, what: string, url: string): ChainError {
  const find = <T extends Error>(type: abstract new (...parameters: never[]) => T): T | undefined => {
    const found = error instanceof BaseError ? error.walk((cause) => cause instanceof type) : null
    return found instanceof type ? found : undefined
  }
  const refused = find(RpcRequestError)
  if (refused !== undefined) {
    // EIP-1474's "limit exceeded"; the words are those of public endpoints.
    if (refused.code === -32_005 || /rate limit|too many requests/i.test(refused.details)) return unreachable([url], what, error)
    return new ChainError('CHAIN_RPC', `${what}: ${refused.details}`, { data: { method: what, rpcCode: refused.code, rpcData: revertData(refused.data) }, cause: error })
  }
  if (find(HttpRequestError) !== undefined || find(TimeoutError) !== undefined) return unreachable([url], what, error)
  return new ChainError('CHAIN_RPC', `${what}: ${error instanceof BaseError ? error.shortMessage : errorMessage(error)}`, { data: { method: what }, cause: error })
}

/** Some nodes put the revert data straight into `error.data`, some one level below. */
function revertData (data: unknown): Hex | undefined {
  const inner = typeof data === 'object' && data !== null && 'data' in data ? data.data : data
  return typeof inner === 'string' && inner.startsWith('0x') ? inner as Hex : undefined
}

/** ChainError CHAIN_UNREACHABLE naming the URLs. */
export function unreachable (rpcUrls: readonly string[], what: string, cause: unknown): ChainError {
  return new ChainError('CHAIN_UNREACHABLE', `no answer to ${what} from ${rpcUrls.join(', ')}`, {
    data: { rpcUrls, method: what }, cause, hint: 'Check that the chain runs there ("lilynode devnet" for a local one) and that rpcUrls in the network file is right.'
  })
}
