import { Agent, request as httpRequest } from 'node:http'
import { errorMessage } from '../core/errors.ts'
import { ChainError } from './errors.ts'

/** A bare JSON-RPC connection to a node on this machine; for the supervisor's polls, which must cost next to nothing. */
export interface JsonRpc {
  /** Rejects with ChainError CHAIN_UNREACHABLE (no answer) or CHAIN_RPC (an error object came back). */
  call: (method: string, params?: readonly unknown[], timeoutMs?: number) => Promise<unknown>
  close: () => void
}

/** An answer of a healthy local node takes 1 ms; 5 s means that it hangs. Dumps pass their own limit. */
const DEFAULT_TIMEOUT_MS = 5000

/** Connects to http://127.0.0.1:`port` with kept-alive sockets. Opens nothing before the first call. */
export function createJsonRpc (options: { port: number }): JsonRpc {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })
  let nextId = 1
  return {
    call: async (method, params = [], timeoutMs = DEFAULT_TIMEOUT_MS) => {
      const body = JSON.stringify({ jsonrpc: '2.0', id: nextId++, method, params })
      const text = await post({ agent, port: options.port, body, timeoutMs }).catch((error: unknown) => {
        throw new ChainError('CHAIN_UNREACHABLE', `the chain on port ${options.port} does not answer ${method}: ${errorMessage(error)}`, { data: { port: options.port, method }, cause: error })
      })
      return resultOf(method, text)
    },
    close: () => { agent.destroy() }
  }
}

function resultOf (method: string, text: string): unknown {
  let reply: { result?: unknown, error?: { code?: number, message?: string } }
  try {
    reply = JSON.parse(text) as typeof reply
  } catch (error) {
    throw new ChainError('CHAIN_RPC', `the answer to ${method} is not JSON`, { data: { method, start: text.slice(0, 80) }, cause: error })
  }
  if (reply.error !== undefined) {
    throw new ChainError('CHAIN_RPC', `${method}: ${reply.error.message ?? 'error'}`, { data: { method, rpcCode: reply.error.code } })
  }
  return reply.result
}

async function post (options: { agent: Agent, port: number, body: string, timeoutMs: number }): Promise<string> {
  return await new Promise((resolve, reject) => {
    const request = httpRequest({
      host: '127.0.0.1', port: options.port, method: 'POST', agent: options.agent,
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(options.body) }
    }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => { chunks.push(chunk) })
      response.on('end', () => { resolve(Buffer.concat(chunks).toString('utf8')) })
      response.on('error', reject)
    })
    request.setTimeout(options.timeoutMs, () => { request.destroy(new Error(`no answer within ${options.timeoutMs} ms`)) })
    request.on('error', reject)
    request.end(options.body)
  })
}
