import type { WebSocket } from 'ws'
import { createTokenBuckets, type TokenBuckets } from '../../book/token-bucket.ts'
import type { Clock } from '../../core/clock.ts'
import { VIEW_CLOSE } from '../../wire/view.ts'
import type { ViewDocument } from './document.ts'
import { readMessage, syncStep2Message, updateMessage } from './messages.ts'
import type { ViewOptions } from './options.ts'

/** One socket in a room of the live view. It is read from only to learn what the reader lacks. */
export interface Reader {
  /** Sends a change to a reader that has had the document. */
  send: (message: Uint8Array) => void
  /** Looks whether the last ping was answered, and sends the next. */
  beat: () => void
  close: (code: number, reason: string) => void
}

/** An update that changes nothing. */
const NOTHING = updateMessage(Uint8Array.of(0, 0))

export function createReader (
  components: { socket: WebSocket, document: ViewDocument, clock: Clock },
  options: Pick<ViewOptions, 'messages' | 'syncs' | 'maxUnreadBytes'>
): Reader {
  const { socket, document, clock } = components
  const messages = createTokenBuckets({ ...options.messages, maxKeys: 1 })
  const syncs = createTokenBuckets({ ...options.syncs, maxKeys: 1 })
  let maxUnread = options.maxUnreadBytes
  let hasDocument = false
  let isAlive = true

  const isOpen = (): boolean => socket.readyState === socket.OPEN
  const send = (message: Uint8Array): void => {
    if (!isOpen()) return
    socket.send(message)
    // Who does not read would not read a close frame either.
    if (socket.bufferedAmount > maxUnread) socket.terminate()
  }
  const isWithin = (buckets: TokenBuckets): boolean => {
    if (!isOpen()) return false
    if (buckets.take('', clock.now())) return true
    socket.close(VIEW_CLOSE.flood, 'too many messages')
    return false
  }
  const answer = (stateVector: Uint8Array): void => {
    // Another answer on top of what is unread would say nothing new.
    if (!isOpen() || socket.bufferedAmount > options.maxUnreadBytes) return
    let update: Uint8Array
    try {
      update = document.missing(stateVector)
    } catch {
      socket.close(VIEW_CLOSE.malformed, 'no state vector')
      return
    }
    maxUnread = options.maxUnreadBytes + update.length
    hasDocument = true
    send(syncStep2Message(update))
  }

  socket.on('message', (data: Buffer, isBinary) => {
    if (!isWithin(messages)) return
    const message = isBinary ? readMessage(data) : undefined
    if (message === undefined) socket.close(VIEW_CLOSE.malformed, 'no message of y-protocols')
    else if (message !== 'dropped' && isWithin(syncs)) document.whenWhole(() => { answer(message) })
  })
  socket.on('ping', () => { isWithin(messages) })
  socket.on('pong', () => { isAlive = true })
  return {
    send: (message) => { if (hasDocument) send(message) },
    beat: () => {
      if (!isAlive) {
        socket.terminate()
        return
      }
      isAlive = false
      if (isOpen()) socket.ping()
      send(NOTHING)
    },
    close: (code, reason) => { socket.close(code, reason) }
  }
}
