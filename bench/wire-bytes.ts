import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'

/** Counts what this process's TCP sockets carry, encryption, multiplexing and keep-alives included. Call it before anything connects. */
export function countWireBytes (): () => number {
  const sockets = new Set<Socket>()
  let closed = 0
  const watch = (message: unknown): void => {
    const { socket } = message as { socket: Socket }
    sockets.add(socket)
    socket.once('close', () => {
      sockets.delete(socket)
      closed += bytesOf(socket)
    })
  }
  subscribe('net.client.socket', watch)
  subscribe('net.server.socket', watch)
  return () => [...sockets].reduce((sum, socket) => sum + bytesOf(socket), closed)
}

function bytesOf (socket: Socket): number {
  return socket.bytesRead + socket.bytesWritten
}
