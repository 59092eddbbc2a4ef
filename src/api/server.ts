import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { errorCode, errorMessage } from '../core/errors.ts'
import type { Startable } from '../core/lifecycle.ts'
import type { Logger } from '../core/logger.ts'
import { ApiError } from './errors.ts'
import { refuse } from './refusal.ts'
import { findRoute } from './routes.ts'
import { namedNetwork, type ServedNetwork } from './served-network.ts'
import { assertToken } from './token.ts'
import { createUpgrades } from './upgrades.ts'

/** A job's input files travel base64 in the request. */
const MAX_BODY_BYTES = 128 * 2 ** 20

/** Streams say something at least this often, an empty line if nothing else: clients and proxies give up on silence after a minute or more. */
const HEARTBEAT_MS = 15_000
/** A reader of a stream that falls behind by more than this is cut off: thousands of changes of a job. */
const MAX_UNREAD_BYTES = 16 * 2 ** 20

/** The local API: HTTP on loopback, JSON, a bearer token that only the data folder's owner can read. `networks` by name, the first for requests that name none. */
export function createApiServer (
  components: { networks: ReadonlyMap<string, ServedNetwork>, logger: Logger },
  options: { port: number, token: string }
): Startable & { url: () => string } {
  const { networks, logger } = components
  const open = new Set<ServerResponse>()

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    assertToken(request.headers.authorization, `Bearer ${options.token}`)
    const { path, query } = readTarget(request.url ?? '/')
    const { route, params } = findRoute(request.method ?? 'GET', path)
    const { facade } = namedNetwork(networks, query)
    const body = request.method === 'POST' ? await readBody(request) : undefined
    if (route.stream !== undefined) {
      const write = (text: string): void => {
        // Not before the first line: what a stream cannot begin with is answered as any error.
        if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' })
        response.write(text)
        if (response.writableLength > MAX_UNREAD_BYTES) response.destroy()
      }
      const stop = route.stream(facade, params, (line) => { write(`${JSON.stringify(line)}\n`) }, () => { response.end() })
      const beat = setInterval(() => { write('\n') }, HEARTBEAT_MS)
      response.on('close', () => {
        clearInterval(beat)
        stop()
      })
      return
    }
    const value = await route.answer?.(facade, params, body)
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    response.end(JSON.stringify(value))
  }

  // Clients that offer HTTP/2 with a plain request get a plain answer.
  const shouldUpgradeCallback = ({ headers }: IncomingMessage): boolean => headers.upgrade?.toLowerCase() === 'websocket'
  const server = createServer({ shouldUpgradeCallback }, (request, response) => {
    open.add(response)
    response.on('close', () => open.delete(response))
    answer(request, response).catch((error: unknown) => {
      if (errorCode(error) === 'INTERNAL') logger.error('api.failed', { url: request.url, error: errorMessage(error) })
      if (response.headersSent) { response.destroy(); return }
      refuse(response, error)
    })
  })
  const upgrade = createUpgrades({ networks, logger }, options)
  server.on('upgrade', (request, socket, head) => { upgrade(request, socket as Socket, head) })

  return {
    url: () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    start: async () => {
      await new Promise<void>((resolve, reject) => {
        server.once('error', (error: NodeJS.ErrnoException) => {
          reject(error.code === 'EADDRINUSE' ? new ApiError('API_PORT_IN_USE', `port ${options.port} is used by another program`, { data: { port: options.port }, hint: 'Choose another with --api-port, or 0 for any free one.' }) : error)
        })
        server.listen(options.port, '127.0.0.1', resolve)
      })
    },
    stop: async () => {
      for (const response of open) response.destroy()
      for (const { view } of networks.values()) await view.stop()
      await new Promise<void>((resolve) => { server.close(() => { resolve() }) })
    }
  }
}

/** What a request line names. Throws ApiError API_BAD_REQUEST. */
function readTarget (target: string): { path: string, query: URLSearchParams } {
  try {
    const { pathname, searchParams } = new URL(target, 'http://localhost')
    return { path: decodeURI(pathname), query: searchParams }
  } catch (error) {
    throw new ApiError('API_BAD_REQUEST', 'the path of the request cannot be read', { data: { target: target.slice(0, 200) }, cause: error, hint: 'Escape it as RFC 3986 says.' })
  }
}

async function readBody (request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += (chunk as Buffer).length
    if (size > MAX_BODY_BYTES) throw new ApiError('API_TOO_LARGE', `request body above ${MAX_BODY_BYTES} bytes`, { data: { limit: MAX_BODY_BYTES }, hint: 'Send less in one request.' })
    chunks.push(chunk as Buffer)
  }
  try {
    return chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch (error) {
    throw new ApiError('API_BAD_REQUEST', `the body is not JSON: ${errorMessage(error)}`, { cause: error, hint: 'Send one JSON document; protocol/api.md has its fields.' })
  }
}
