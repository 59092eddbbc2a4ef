import { ServerResponse, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { CodedError, errorCode, errorMessage } from '../core/errors.ts'

const STATUS: Record<string, number> = { API_UNAUTHORISED: 401, API_ORIGIN: 403, API_NO_ROUTE: 404, API_NO_NETWORK: 404, JOB_UNKNOWN: 404, DEAL_UNKNOWN: 404, OFFER_UNKNOWN: 404, API_TOO_LARGE: 413, API_FULL: 503 }

/** Answers a request with an error (protocol/api.md). */
export function refuse (response: ServerResponse, error: unknown): void {
  const code = errorCode(error)
  response.writeHead(STATUS[code] ?? (code === 'INTERNAL' ? 500 : 400), { 'content-type': 'application/json' })
  const detail = error instanceof CodedError ? { hint: error.hint, data: error.data } : {}
  response.end(JSON.stringify({ error: { code, message: errorMessage(error), ...detail } }))
}

/** The same for a request whose socket Node has handed over for an upgrade; ends the connection. */
export function refuseUpgrade (request: IncomingMessage, socket: Socket, error: unknown): void {
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  response.assignSocket(socket)
  response.on('finish', () => { socket.destroySoon() })
  refuse(response, error)
}
