import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { ApiError } from '../errors.ts'
import type { ViewOptions } from './options.ts'
import { createRooms, type ViewComponents } from './rooms.ts'

/** The WebSockets of the live view. */
export interface ViewSockets {
  /** Upgrades a request that may read. Throws ApiError API_FULL. */
  accept: (request: IncomingMessage, socket: Duplex, head: Buffer, room: string) => void
  stop: () => void
}

export function createViewSockets (components: ViewComponents, options: ViewOptions): ViewSockets {
  // Each chunk and fragment costs memory of its own, however small it is.
  const limits = { maxPayload: options.maxMessageBytes, maxFragments: 64, maxBufferedChunks: 1024, closeTimeout: 5_000 }
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, ...limits })
  const rooms = createRooms(components, options)
  return {
    accept: (request, socket, head, room) => {
      if (server.clients.size >= options.maxReaders) throw new ApiError('API_FULL', `${options.maxReaders} readers follow the live view already`, { data: { limit: options.maxReaders }, hint: 'Close one that is not needed.' })
      server.handleUpgrade(request, socket, head, (opened) => { rooms.join(opened, room) })
    },
    stop: () => {
      rooms.stop()
      server.close()
      // The close frame is on its way; a reader that does not answer it must not hold the node up.
      for (const client of server.clients) client.terminate()
    }
  }
}
