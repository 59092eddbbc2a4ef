import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { ApiError } from '../errors.ts'
import { VIEW_DEFAULTS, type ViewOptions } from './options.ts'
import type { ViewComponents } from './rooms.ts'
import type { ViewSockets } from './sockets.ts'

/** The live view as the API server sees it. */
export interface ViewEndpoint {
  /** Upgrades a request that may read. Rejects with ApiError API_NO_ROUTE, API_FULL. */
  upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => Promise<void>
  stop: () => Promise<void>
}

/** Serves `/v1/view/ROOM` (protocol/view.md). Yjs and the WebSocket server are loaded for the first reader: most nodes have none. */
export function createViewEndpoint (components: ViewComponents, options: Partial<ViewOptions> = {}): ViewEndpoint {
  let sockets: Promise<ViewSockets> | undefined
  let isStopped = false
  return {
    upgrade: async (request, socket, head) => {
      const path = request.url?.split('?')[0] ?? ''
      const room = /^\/v1\/view\/([^/]+)$/.exec(path)?.[1]
      if (room === undefined || isStopped) throw new ApiError('API_NO_ROUTE', `no WebSocket at ${path}`, { data: { path }, hint: 'The live view is at /v1/view/current.' })
      sockets ??= import('./sockets.ts').then(({ createViewSockets }) => createViewSockets(components, { ...VIEW_DEFAULTS, ...options }))
      const { accept } = await sockets
      accept(request, socket, head, room)
    },
    stop: async () => {
      isStopped = true
      const opened = await sockets
      opened?.stop()
    }
  }
}
