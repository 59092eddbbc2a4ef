import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { errorCode, errorMessage } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import { ApiError } from './errors.ts'
import { refuseUpgrade } from './refusal.ts'
import { namedNetwork, type ServedNetwork } from './served-network.ts'
import { assertToken } from './token.ts'

const LOCAL_HOSTS = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Answers requests for a WebSocket (protocol/view.md, "Who may read"): the live view's, and a refusal for all others. */
export function createUpgrades (
  components: { networks: ReadonlyMap<string, ServedNetwork>, logger: Logger },
  options: { token: string }
): (request: IncomingMessage, socket: Socket, head: Buffer) => void {
  const { networks, logger } = components
  const upgrade = async (request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> => {
    // Browsers cannot set headers here, so the token is in the URL: which must therefore never be logged.
    const query = new URLSearchParams(/\?(.*)$/.exec(request.url ?? '')?.[1])
    assertToken(query.get('token') ?? undefined, options.token)
    assertOrigin(request.headers.origin)
    await namedNetwork(networks, query).view.upgrade(request, socket, head)
  }
  return (request, socket, head) => {
    const drop = (): void => { socket.destroy() }
    socket.on('error', drop)
    upgrade(request, socket, head).then(() => { socket.off('error', drop) }, (error: unknown) => {
      if (errorCode(error) === 'INTERNAL') logger.error('api.upgrade', { error: errorMessage(error) })
      refuseUpgrade(request, socket, error)
    })
  }
}

/** Pages of other sites may not read, also not by a name that they point to this machine. Throws ApiError API_ORIGIN. */
function assertOrigin (origin: string | undefined): void {
  if (origin === undefined) return
  const url = URL.parse(origin)
  if (url === null || !['http:', 'https:'].includes(url.protocol) || !LOCAL_HOSTS.has(url.hostname)) {
    throw new ApiError('API_ORIGIN', 'pages of other sites may not read the live view', { data: { origin: origin.slice(0, 200) }, hint: 'Serve the page from localhost, or read from a program.' })
  }
}
